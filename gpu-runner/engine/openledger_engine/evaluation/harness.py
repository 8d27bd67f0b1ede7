"""Tasks of EleutherAI's lm-evaluation-harness, for whoever has installed it. Task files and their data must be local."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import bad_params
from ..methods import Job
from .paired import Measured, verdict
from .suites import without_adapter

PREFIX = "lm-eval/"
MAX_SUITE_BYTES = 31  # a suite's name has to fit the chain's 32 bytes


def harness_rows(model: Any, tokenizer: Any, tasks: tuple[str, ...], folder: str | None, job: Job) -> list[dict[str, Any]]:
    """A row of errors for each task that has right and wrong answers (`acc`)."""
    if not tasks:
        return []
    if importlib.util.find_spec("lm_eval") is None:
        raise bad_params("harness_tasks", "need the package lm-eval, which is not installed here")
    if folder is not None and not Path(folder).is_dir():
        raise bad_params("harness_path", "is not a folder")
    for task in tasks:
        if not task.replace("_", "").replace("-", "").isalnum() or len(PREFIX + task) > MAX_SUITE_BYTES:
            raise bad_params("harness_tasks", f"{task[:40]!r} is no task's name, or over {MAX_SUITE_BYTES - len(PREFIX)} characters")
    with without_adapter(model):
        base = _wrong(model, tokenizer, tasks, folder, job)
    mine = _wrong(model, tokenizer, tasks, folder, job)
    return [
        verdict(PREFIX + task, "error", Measured(base[task], mine[task], np.ones(len(mine[task])))) for task in tasks
    ]


def _wrong(model: Any, tokenizer: Any, tasks: tuple[str, ...], folder: str | None, job: Job) -> dict[str, Any]:
    """For each task, 1 for each wrong answer, in the order of its documents."""
    os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    job.check()
    manager = TaskManager(include_path=folder, include_defaults=folder is None)
    found = simple_evaluate(
        model=HFLM(pretrained=model, tokenizer=tokenizer, backend="causal"), tasks=list(tasks), task_manager=manager,
        bootstrap_iters=0, log_samples=True,
    )
    wrong = {}
    for task in tasks:
        samples = sorted(found["samples"].get(task, []), key=lambda sample: sample["doc_id"])
        if not samples or "acc" not in samples[0]:
            raise bad_params("harness_tasks", f"{task} has no right and wrong answers (acc)")
        wrong[task] = np.array([1.0 - float(sample["acc"]) for sample in samples])
    return wrong
