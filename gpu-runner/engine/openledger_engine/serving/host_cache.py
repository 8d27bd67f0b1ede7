"""Adapters in main memory: the middle tier, least recently used ones dropped when its bytes run out."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Any

from ..errors import EngineError
from ..models.weights_files import sha256_file
from ..runtime import torch_module
from .lora_files import KEY, LoraFile, file_state
from .lora_layers import Factors


class HostCache:
    """Safe for several threads: a request's own thread reads ahead while the scheduler takes what it needs."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._held: OrderedDict[str, tuple[Factors, int]] = OrderedDict()
        self.bytes = 0
        self.read_seconds: dict[str, float] = {}  # of those read from disk and not put into a slot since

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, sha256: str) -> bool:
        return sha256 in self._held

    def get(self, file: LoraFile) -> Factors:
        """From memory, or read from disk. Raises unknown_adapter when the file is no longer what was registered."""
        with self._lock:
            if (held := self._held.get(file.sha256)) is not None:
                self._held.move_to_end(file.sha256)
                return held[0]
        began = time.perf_counter()
        factors = read_factors(file)
        size = sum(a.nbytes + b.nbytes for a, b in factors.values())
        with self._lock:
            if file.sha256 not in self._held:
                self.read_seconds[file.sha256] = time.perf_counter() - began
                self._held[file.sha256] = (factors, size)
                self.bytes += size
            while self.bytes > self._max_bytes and self._held:
                oldest, (_, freed) = self._held.popitem(last=False)
                self.bytes -= freed
                if oldest != file.sha256:
                    self.read_seconds.pop(oldest, None)
        return factors

    def drop(self, sha256: str) -> None:
        with self._lock:
            if (held := self._held.pop(sha256, None)) is not None:
                self.bytes -= held[1]
            self.read_seconds.pop(sha256, None)


def read_factors(file: LoraFile) -> Factors:
    """The factors as they go into a slot: turning and scaling them here leaves the scheduler two copies a layer.

    The file is hashed again when it has changed since it was registered.
    """
    from safetensors.torch import load

    torch = torch_module()
    try:
        if file_state(file.path) != file.state and sha256_file(file.path) != file.sha256:
            raise EngineError("unknown_adapter", f"adapter {file.sha256} was changed on disk since it was registered")
        # Read in one go: mapped, each tensor's pages fault one by one, which takes ten times as long.
        tensors = load(file.path.read_bytes())
    except OSError as error:
        raise EngineError("unknown_adapter", f"adapter {file.sha256} can't be read: {error.strerror}") from error
    named = {(m[1], m[2]): tensor for key, tensor in tensors.items() if (m := KEY.fullmatch(key))}
    alike: dict[Any, list[str]] = {}
    for name, scale in file.scales.items():
        alike.setdefault((named[name, "B"].shape, scale), []).append(name)
    turned = {}
    for (_, scale), names in alike.items():  # a model has few shapes: a few large products instead of one for each layer
        stacked = torch.stack([named[name, "B"] for name in names])
        turned |= dict(zip(names, stacked.transpose(1, 2).contiguous().mul_(scale).unbind(), strict=True))
    return {name: (named[name, "A"], turned[name]) for name in file.scales}
