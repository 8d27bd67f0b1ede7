"""Base models held in memory for generation, by the hash of their weights."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import EngineError
from ..models.folders import remember_folder, resolve_folder
from ..models.load import context_length, load_model, load_tokenizer
from ..models.weights_files import weights_sha256
from ..runtime import device


@dataclass
class Base:
    """One base model in memory. `lock` guards the model between two forward passes; `active` is the set adapter."""

    sha256: str
    folder: Path
    model: Any
    tokenizer: Any
    context_length: int
    lock: threading.RLock = field(default_factory=threading.RLock)
    active: str | None = None
    adapters: dict[str, int] = field(default_factory=dict)  # sha256 -> rank


_BASES: dict[str, Base] = {}
_LOADING = threading.Lock()


def loaded() -> list[Base]:
    return list(_BASES.values())


def get_base(sha256: str) -> Base:
    base = _BASES.get(sha256)
    if base is None:
        raise EngineError("unknown_model", f"base {sha256} is not loaded")
    return base


def load(model: str) -> Base:
    """Loads a base for generation, once. Weights keep their stored precision on a GPU; a CPU computes in fp32."""
    folder = resolve_folder(model)
    sha256 = weights_sha256(folder, "model")
    with _LOADING:
        if sha256 not in _BASES:
            loaded = load_model(folder, "auto" if device() == "cuda" else "float32").eval()
            _BASES[sha256] = Base(sha256, folder, loaded, load_tokenizer(folder), context_length(loaded))
            remember_folder(sha256, folder)
        return _BASES[sha256]
