"""Base models held in memory for generation, by the hash of their weights."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import EngineError
from ..models.folders import remember_folder, resolve_folder
from ..models.load import refuse_code, context_length, load_model, load_tokenizer
from ..models.weights_files import weights_sha256
from ..runtime import device
from .adapter_pool import AdapterPool
from .limits import from_environment
from .scheduler import Scheduler


@dataclass(frozen=True)
class Base:
    """One base model in memory, the adapters that it serves, and the thread that runs it."""

    sha256: str
    model: Any
    tokenizer: Any
    context_length: int
    adapters: AdapterPool
    scheduler: Scheduler


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
    refuse_code(folder)
    sha256 = weights_sha256(folder, "model")
    with _LOADING:
        if sha256 not in _BASES:
            _BASES[sha256] = serve(sha256, folder)
            remember_folder(sha256, folder)
        return _BASES[sha256]


def serve(sha256: str, folder: Path) -> Base:
    model = load_model(folder, "auto" if device() == "cuda" else "float32").eval()
    limits = from_environment()
    pool = AdapterPool(model, limits)
    context = min(longest_context(model), limits.batch_tokens)
    return Base(sha256, model, load_tokenizer(folder), context, pool, Scheduler(model, pool, limits))


def longest_context(model: Any) -> int:
    """The model's own. Rows of one batch have different lengths, so a sliding window of attention can't be masked for all of
    them: of a model that has one contexts up to its width, where it changes nothing."""
    length = context_length(model)
    return min(length, getattr(model.config, "sliding_window", None) or length)
