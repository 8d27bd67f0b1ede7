"""`load_base`: brings a base model into memory and says what it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import bad_params
from ..methods import Job, register
from ..models.folders import resolve_folder
from ..models.weights_files import weights_sha256
from ..settings import setting
from .bases import load


@dataclass(frozen=True)
class LoadBaseParams:
    model: str = setting("folder, or id on the model hub")
    sha256: str | None = setting("expected hash of the weights", default=None)


def load_base(params: LoadBaseParams, job: Job) -> dict[str, Any]:
    found = weights_sha256(resolve_folder(params.model), "model")
    if params.sha256 and params.sha256 != found:
        raise bad_params("sha256", f"the weights have {found}")
    job.check()
    base = load(params.model)
    return {
        "base": base.sha256,
        "architecture": type(base.model).__name__,
        "parameters": sum(p.numel() for p in base.model.parameters()),
        "context_length": base.context_length,
        "vocab_size": int(base.model.config.vocab_size),
        "model_type": str(base.model.config.model_type),
        "numerics": f"{base.model.device.type}-{str(base.model.dtype).removeprefix('torch.')}",
    }


register("load_base", LoadBaseParams, "short", load_base)
