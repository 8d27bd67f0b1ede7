"""`evaluate`: an adapter against its base on the same rows and questions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import bad_params
from ..methods import Job, register
from ..models.adapters import adapter_rank
from ..models.folders import resolve_folder
from ..models.load import context_length, load_model, load_tokenizer
from ..models.making import MAKING, peft_module
from ..models.weights_files import weights_sha256
from ..settings import setting
from .harness import harness_rows
from .rows_file import read_rows_file
from .suites import CHOICE_SUITES, Material, compare, forgetting

MAX_TASKS = 32


@dataclass(frozen=True)
class EvaluateParams:
    base: str = setting("folder, hub id, or hash of a loaded base")
    adapter: str | None = setting("PEFT folder; none: the base against itself", default=None)
    rows_path: str | None = setting("held-out text of the domain, JSON Lines with `text`", default=None)
    general_path: str | None = setting("general text, JSON Lines with `text`", default=None)
    suites: tuple[str, ...] = setting("choice suites beside the losses", default=CHOICE_SUITES, choices=CHOICE_SUITES)
    harness_tasks: tuple[str, ...] = setting("tasks of lm-eval, where that package is installed", default=())
    harness_path: str | None = setting("folder of task files for lm-eval; their data must be local", default=None)


def texts_at(path: str | None, name: str) -> list[str]:
    return read_rows_file(Path(path), name) if path else []


def evaluate(params: EvaluateParams, job: Job) -> dict[str, Any]:
    if len(params.harness_tasks) > MAX_TASKS:
        raise bad_params("harness_tasks", "are too many", f"0..{MAX_TASKS}")
    domain, general = texts_at(params.rows_path, "rows_path"), texts_at(params.general_path, "general_path")
    folder = resolve_folder(params.base)
    if params.adapter is not None:
        adapter_rank(Path(params.adapter))
        weights_sha256(Path(params.adapter), "adapter_model")
    model, tokenizer = load_model(folder, "float32"), load_tokenizer(folder)
    if params.adapter is not None:
        with MAKING:
            model = peft_module().PeftModel.from_pretrained(model, params.adapter, low_cpu_mem_usage=True)
    rows = compare(model, tokenizer, Material(domain, general, context_length(model)), params.suites, job)
    rows += harness_rows(model, tokenizer, params.harness_tasks, params.harness_path, job)
    return {"evaluations": rows, "forgetting": forgetting(rows)}


register("evaluate", EvaluateParams, "train", evaluate)
