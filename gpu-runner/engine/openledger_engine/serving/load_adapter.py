"""`load_adapter` and `unload_adapter`: many LoRA adapters on one base, each named by the hash of its weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import EngineError
from ..methods import Job, register
from ..settings import setting
from . import bases
from .bases import get_base
from .lora_files import inspect_adapter


@dataclass(frozen=True)
class LoadAdapterParams:
    adapter: str = setting("sha256 of adapter_model.safetensors")
    path: str = setting("the PEFT folder")
    base: str = setting("sha256 of the loaded base")
    pinned: bool = setting("never evicted from the device", default=False)


@dataclass(frozen=True)
class UnloadAdapterParams:
    adapter: str = setting("sha256 of a loaded adapter")


def load_adapter(params: LoadAdapterParams, _: Job) -> dict[str, Any]:
    """Checks and remembers; the weights are read with the first request that names the adapter."""
    pool = get_base(params.base).adapters
    file = inspect_adapter(Path(params.path), params.adapter, pool.layers)
    pool.register(file, params.pinned)
    return {"adapter": params.adapter, "rank": file.rank}


def unload_adapter(params: UnloadAdapterParams, _: Job) -> dict[str, Any]:
    if not any([base.adapters.unregister(params.adapter) for base in bases.loaded()]):
        raise EngineError("unknown_adapter", f"adapter {params.adapter} is not loaded")
    return {}


register("load_adapter", LoadAdapterParams, "short", load_adapter)
register("unload_adapter", UnloadAdapterParams, "short", unload_adapter)
