"""Everything that an adapter is judged on, in one list of rows: `domain` and `general` first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..methods import Job
from .choices import Item, continuations, general_tasks, wrong_answers
from .losses import row_losses, to_rows
from .paired import Measured, verdict

CHOICE_SUITES = ("domain-choice", "general-choice", "general-tasks")


@dataclass(frozen=True)
class Material:
    """Texts of the domain that were held out, and of general text; `length` is the model's context."""

    domain: list[str]
    general: list[str]
    length: int


def compare(
    model: Any, tokenizer: Any, material: Material, suites: tuple[str, ...], job: Job
) -> list[dict[str, Any]]:
    """A row for each suite. `model` is a PeftModel, whose adapter is switched off for the base, or a bare base."""
    model.eval()
    results = []
    for suite, texts in (("domain", material.domain), ("general", material.general)):
        rows = to_rows(tokenizer, texts, material.length)
        counts = np.array([len(row) - 1 for row in rows], dtype=float)
        results.append(verdict(suite, "loss", _both(model, lambda rows=rows: row_losses(model, rows, job), counts)))
    for suite in suites:
        if items := items_of(suite, material):
            ones = np.ones(len(items))
            answers = lambda items=items: wrong_answers(model, tokenizer, items, material.length, job)  # noqa: E731
            results.append(verdict(suite, "error", _both(model, answers, ones)))
    return results


def items_of(suite: str, material: Material) -> list[Item]:
    if suite == "general-tasks":
        return list(general_tasks())
    return continuations(material.domain if suite == "domain-choice" else material.general)


def _both(model: Any, measure: Callable[[], list[float]], counts: Any) -> Measured:
    mine = np.array(measure(), dtype=float)
    if not hasattr(model, "disable_adapter"):
        return Measured(mine, mine, counts)
    with without_adapter(model):
        return Measured(np.array(measure(), dtype=float), mine, counts)


def without_adapter(model: Any) -> AbstractContextManager[Any]:
    return model.disable_adapter() if hasattr(model, "disable_adapter") else nullcontext()


def forgetting(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The verdict over all suites that are not of the domain itself."""
    worse = [row["suite"] for row in rows if row["regressed"] and not row["suite"].startswith("domain")]
    return {"regressed": bool(worse), "suites": worse}
