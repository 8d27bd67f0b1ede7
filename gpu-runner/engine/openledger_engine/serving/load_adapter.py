"""`load_adapter` and `unload_adapter`: many LoRA adapters on one base, each named by the hash of its weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import EngineError, bad_params
from ..methods import Job, register
from ..models.adapters import adapter_rank
from ..models.weights_files import weights_sha256
from ..settings import setting
from . import bases
from .bases import Base, get_base


@dataclass(frozen=True)
class LoadAdapterParams:
    adapter: str = setting("sha256 of adapter_model.safetensors")
    path: str = setting("the PEFT folder")
    base: str = setting("sha256 of the loaded base")


@dataclass(frozen=True)
class UnloadAdapterParams:
    adapter: str = setting("sha256 of a loaded adapter")


def load_adapter(params: LoadAdapterParams, _: Job) -> dict[str, Any]:
    folder, base = Path(params.path), get_base(params.base)
    if not folder.is_dir():
        raise EngineError("unknown_adapter", "the adapter's folder does not exist")
    rank = adapter_rank(folder)
    found = weights_sha256(folder, "adapter_model")
    if found != params.adapter:
        raise bad_params("adapter", f"the weights have {found}")
    with base.lock:
        if params.adapter not in base.adapters:
            _attach(base, params.adapter, folder)
            base.adapters[params.adapter] = rank
    return {"adapter": params.adapter, "rank": rank}


def _attach(base: Base, name: str, folder: Path) -> None:
    """Weights go in without being initialised first: the global random state belongs to training alone."""
    from peft import PeftModel

    base.active = None
    try:
        if base.adapters:
            base.model.load_adapter(str(folder), adapter_name=name, is_trainable=False, low_cpu_mem_usage=True)
        else:
            base.model = PeftModel.from_pretrained(
                base.model, str(folder), adapter_name=name, is_trainable=False, low_cpu_mem_usage=True
            )
    except (RuntimeError, ValueError, KeyError) as error:
        raise EngineError("unknown_adapter", f"the adapter does not fit the base: {error}") from error
    base.model.eval()


def unload_adapter(params: UnloadAdapterParams, _: Job) -> dict[str, Any]:
    base = next((b for b in bases.loaded() if params.adapter in b.adapters), None)
    if base is None:
        raise EngineError("unknown_adapter", f"adapter {params.adapter} is not loaded")
    with base.lock:
        base.active = None
        del base.adapters[params.adapter]
        if base.adapters:
            base.model.delete_adapter(params.adapter)
        else:
            base.model = base.model.unload()
    return {}


register("load_adapter", LoadAdapterParams, "short", load_adapter)
register("unload_adapter", UnloadAdapterParams, "short", unload_adapter)
