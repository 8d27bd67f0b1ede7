"""A LoRA adapter on disk: which layers it changes, checked against the base before anything is loaded."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import EngineError, bad_params
from ..models.adapters import read_adapter_config
from ..models.weights_files import check_safetensors, weights_sha256

MAX_RANK = 256
FILE = "adapter_model.safetensors"
KEY = re.compile(r"base_model\.model\.(.+)\.lora_([AB])\.weight")
# What changes more than the two factors of a linear layer, beside what no adapter may set. Falsy values are PEFT's defaults.
UNSUPPORTED = ("use_dora", "lora_bias", "use_qalora", "use_bdlora")
# With these the base's own weights were changed before training.
CHANGED_BASES = ("pissa", "olora", "loftq", "corda", "lora_ga")


@dataclass(frozen=True)
class LoraFile:
    """One registered adapter: its file, when that was last hashed, and the scale of each layer's product."""

    sha256: str
    path: Path
    rank: int
    scales: dict[str, float]  # module path -> what B times A is multiplied by
    bytes: int
    state: tuple[int, int]  # size and time of the file whose hash was checked


def file_state(path: Path) -> tuple[int, int]:
    state = path.stat()
    return state.st_size, state.st_mtime_ns


def inspect_adapter(folder: Path, sha256: str, layers: dict[str, tuple[int, int]]) -> LoraFile:
    """Reads config and header, hashes the weights. `layers` maps each linear layer of the base to (in, out).

    Raises unknown_adapter, bad_file, bad_params with the reason.
    """
    if not folder.is_dir():
        raise EngineError("unknown_adapter", "the adapter's folder does not exist")
    config = read_adapter_config(folder)
    _refuse_unsupported(config)
    path = folder / FILE
    if not path.exists():
        weights_sha256(folder, "adapter_model")  # says which other format there is
    check_safetensors(path)
    state = file_state(path)
    found = weights_sha256(folder, "adapter_model")
    if found != sha256:
        raise bad_params("adapter", f"the weights have {found}")
    ranks = _ranks(path, layers)
    scales = {name: _scale(config, rank) for name, rank in ranks.items()}
    return LoraFile(sha256, path, max(ranks.values()), scales, state[0], state)


def _refuse_unsupported(config: dict[str, Any]) -> None:
    used = [name for name in UNSUPPORTED if config.get(name)]
    if config.get("bias", "none") != "none":
        used.append("bias")
    start = str(config.get("init_lora_weights", True)).lower()
    if start.startswith(CHANGED_BASES):
        used.append(f"init_lora_weights={start}")
    if used:
        raise EngineError("unknown_adapter", f"the adapter uses {', '.join(used)}, which can't share a batch")


def _ranks(path: Path, layers: dict[str, tuple[int, int]]) -> dict[str, int]:
    """The rank at each layer, from the shapes in the file's header."""
    shapes: dict[str, dict[str, list[int]]] = {}
    with path.open("rb") as stream:
        header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    for key, entry in header.items():
        if key == "__metadata__":
            continue
        match = KEY.fullmatch(key)
        if match is None:
            raise EngineError("unknown_adapter", f"{key} is not a factor of a linear layer")
        shapes.setdefault(match[1], {})[match[2]] = entry["shape"]
    if not shapes:
        raise EngineError("unknown_adapter", "the adapter has no weights")
    for name, factors in shapes.items():
        if name not in layers:
            raise EngineError("unknown_adapter", f"the base has no linear layer {name}")
        rank = (factors.get("A") or [0])[0]
        inner, outer = layers[name]
        if factors != {"A": [rank, inner], "B": [outer, rank]}:
            raise EngineError("unknown_adapter", f"the adapter does not fit the base: the shapes at {name}")
        if not 1 <= rank <= MAX_RANK:
            raise EngineError("unknown_adapter", f"rank {rank} at {name} is not in 1..{MAX_RANK}")
    return {name: factors["A"][0] for name, factors in shapes.items()}


def _scale(config: dict[str, Any], rank: int) -> float:
    """alpha / rank, or alpha / sqrt(rank) with rsLoRA. One alpha for all layers: configurations with patterns are refused."""
    alpha = float(config["lora_alpha"])
    return alpha / math.sqrt(rank) if config.get("use_rslora") else alpha / rank
