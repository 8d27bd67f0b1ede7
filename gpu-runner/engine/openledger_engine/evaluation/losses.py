"""Losses of a model on rows of token ids, row by row: what means and intervals are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..methods import Job
from ..runtime import device, torch_module
from ..training.objective import token_losses


def to_rows(tokenizer: Any, texts: Iterable[str], length: int) -> list[list[int]]:
    """Token ids of each text, cut into rows of at most `length`. A row of one token predicts nothing and is left out."""
    rows: list[list[int]] = []
    for text in texts:
        ids = list(tokenizer(text, verbose=False)["input_ids"])
        rows.extend(ids[i : i + length] for i in range(0, len(ids), length))
    return [row for row in rows if len(row) > 1]


def row_losses(model: Any, rows: list[list[int]], job: Job) -> list[float]:
    """Summed loss of each row in nats. Rows go one by one: no padding can blur the sum."""
    torch = torch_module()
    losses: list[float] = []
    with torch.inference_mode():
        for row in rows:
            job.check()
            ids = torch.tensor([row], device=device())
            losses.append(float(token_losses(model, ids, torch.ones_like(ids, dtype=torch.bool)).sum()))
    return losses


def predicted(rows: list[list[int]]) -> int:
    """Tokens that rows predict: all but the first of each."""
    return sum(len(row) - 1 for row in rows)


def mean_loss(model: Any, rows: list[list[int]], job: Job) -> float:
    """Nats a predicted token."""
    return sum(row_losses(model, rows, job)) / max(1, predicted(rows))
