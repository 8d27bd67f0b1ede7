"""`evaluate`: an adapter against its base on the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..methods import Job, register
from ..models.adapters import adapter_rank
from ..models.folders import resolve_folder
from ..models.load import context_length, load_model, load_tokenizer
from ..models.weights_files import weights_sha256
from ..settings import setting
from .losses import loss_micros, to_rows
from .rows_file import read_rows_file


@dataclass(frozen=True)
class EvaluateParams:
    base: str = setting("folder, hub id, or hash of a loaded base")
    rows_path: str = setting("JSON Lines with `text`")
    adapter: str | None = setting("PEFT folder; none: the base against itself", default=None)


def compare(model: Any, rows: list[list[int]], job: Job) -> dict[str, int]:
    """Losses with the adapter switched off and on. `model` is a PeftModel, or a bare one that equals its base."""
    model.eval()
    if not hasattr(model, "disable_adapter"):
        loss, tokens = loss_micros(model, rows, job)
        return {"base_loss_micros": loss, "model_loss_micros": loss, "tokens": tokens}
    with model.disable_adapter():
        base, tokens = loss_micros(model, rows, job)
    return {"base_loss_micros": base, "model_loss_micros": loss_micros(model, rows, job)[0], "tokens": tokens}


def evaluate(params: EvaluateParams, job: Job) -> dict[str, Any]:
    texts = read_rows_file(Path(params.rows_path), "rows_path")
    folder = resolve_folder(params.base)
    model, tokenizer = load_model(folder, "float32"), load_tokenizer(folder)
    if params.adapter is not None:
        from peft import PeftModel

        adapter_rank(Path(params.adapter))
        weights_sha256(Path(params.adapter), "adapter_model")
        model = PeftModel.from_pretrained(model, params.adapter, low_cpu_mem_usage=True)
    return compare(model, to_rows(tokenizer, texts, context_length(model)), job)


register("evaluate", EvaluateParams, "train", evaluate)
