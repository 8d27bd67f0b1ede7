"""Registered adapters of one base in three tiers: disk, main memory, and slots on the device."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from typing import Any

from ..errors import EngineError, bad_params
from .host_cache import HostCache
from .limits import Limits
from .lora_files import LoraFile
from .lora_layers import LoraLayer, SlotBatch, linear_layers

COLD_LOADS_KEPT = 1000


class AdapterPool:
    """Registering is cheap and unlimited; what is resident is bounded. Slots are touched by the scheduler's thread alone.

    An adapter in use or pinned is never evicted; of the others the least recently used one goes first.
    """

    def __init__(self, model: Any, limits: Limits) -> None:
        self._model = model
        self._limits = limits
        self._lock = threading.Lock()
        self._registered: dict[str, LoraFile] = {}
        self._pinned: set[str] = set()
        self._slots: OrderedDict[str, int] = OrderedDict()
        self._free = list(range(limits.adapter_slots, 0, -1))
        self._uses: Counter[str] = Counter()
        self._layers: dict[str, LoraLayer] = {}
        self._rank = 0
        self.layers = linear_layers(model)
        self.host = HostCache(limits.adapter_host_bytes)
        self.batch = SlotBatch()
        self.evictions = 0
        self.cold_loads: list[float] = []  # seconds from disk to a slot, the latest ones
        self.cold_load_count = 0

    def register(self, file: LoraFile, pinned: bool) -> None:
        with self._lock:
            others = self._pinned - {file.sha256}
            if pinned and len(others) >= self._limits.adapter_slots - 1:
                raise bad_params("pinned", "one slot has to stay free for other adapters", f"..{len(others)}")
            self._pinned = others | ({file.sha256} if pinned else set())
            self._registered[file.sha256] = file

    def unregister(self, sha256: str) -> bool:
        """No new request gets it; those that run keep it until they end."""
        with self._lock:
            self._pinned.discard(sha256)
            known = self._registered.pop(sha256, None) is not None
        self.host.drop(sha256)
        return known

    def find(self, sha256: str) -> LoraFile:
        file = self._registered.get(sha256)
        if file is None:
            raise EngineError("unknown_adapter", f"adapter {sha256} is not loaded")
        return file

    def acquire(self, sha256: str) -> int | None:
        """A slot that holds the adapter until `release`; None while all slots are in use or pinned."""
        file = self.find(sha256)
        slot = self._slots.get(sha256)
        if slot is None:
            slot = self._free_slot()
            if slot is None:
                return None
            try:
                self._fill(slot, file)
            except BaseException:
                self._free.append(slot)
                raise
            self._slots[sha256] = slot
        self._slots.move_to_end(sha256)
        self._uses[sha256] += 1
        return slot

    def release(self, sha256: str) -> None:
        self._uses[sha256] -= 1
        if self._uses[sha256] == 0:
            del self._uses[sha256]

    def select(self, slots: list[int]) -> None:
        """What the rows of the next forward pass have."""
        self.batch.set(slots, self._rank, self._model.device)

    def stats(self) -> dict[str, int]:
        return {
            "registered": len(self._registered),
            "pinned": len(self._pinned),
            "resident": len(self._slots),
            "slots": self._limits.adapter_slots,
            "host": len(self.host),
            "host_bytes": self.host.bytes,
            "evictions": self.evictions,
        }

    def _free_slot(self) -> int | None:
        if self._free:
            return self._free.pop()
        for sha256 in self._slots:
            if not self._uses[sha256] and sha256 not in self._pinned:
                self.evictions += 1
                return self._slots.pop(sha256)
        return None

    def _fill(self, slot: int, file: LoraFile) -> None:
        factors = self.host.get(file)
        read_seconds = self.host.read_seconds.pop(file.sha256, None)
        began = time.perf_counter()
        if file.rank > self._rank:
            self._rank = file.rank
            for layer in self._layers.values():
                layer.grow(file.rank)
        for name in factors.keys() - self._layers.keys():
            module = self._model.get_submodule(name)
            layer = LoraLayer(module, *self.layers[name], self._limits.adapter_slots + 1, self.batch)
            layer.grow(self._rank)
            self._layers[name] = layer
        for name, layer in self._layers.items():
            layer.put(slot, factors.get(name))
        if read_seconds is not None:  # else it was still in main memory: not a cold load
            self.cold_load_count += 1
            seconds = read_seconds + time.perf_counter() - began
            self.cold_loads = [*self.cold_loads[1 - COLD_LOADS_KEPT :], seconds]
