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
    inner = base.model.get_base_model() if base.adapters else base.model
    return {
        "base": base.sha256,
        "architecture": type(inner).__name__,
        "parameters": sum(p.numel() for name, p in inner.named_parameters() if "lora_" not in name),
        "context_length": base.context_length,
        "vocab_size": int(inner.config.vocab_size),
        "model_type": str(inner.config.model_type),
    }


register("load_base", LoadBaseParams, "short", load_base)
