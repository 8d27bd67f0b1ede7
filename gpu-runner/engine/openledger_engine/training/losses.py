"""Mean loss of a model on texts, in micro-nats a token: an integer that can stand in a record."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..methods import Job
from ..runtime import device, torch_module


def to_rows(tokenizer: Any, texts: Iterable[str], length: int) -> list[list[int]]:
    """Token ids of each text, cut into rows of at most `length`. A row of one token predicts nothing and is left out."""
    rows: list[list[int]] = []
    for text in texts:
        ids = list(tokenizer(text, verbose=False)["input_ids"])
        rows.extend(ids[i : i + length] for i in range(0, len(ids), length))
    return [row for row in rows if len(row) > 1]


def loss_micros(model: Any, rows: list[list[int]], job: Job) -> tuple[int, int]:
    """(micro-nats a predicted token, predicted tokens). Rows go one by one: no padding can blur the sum."""
    torch = torch_module()
    total, count = 0.0, 0
    with torch.inference_mode():
        for row in rows:
            job.check()
            ids = torch.tensor([row], device=device())
            logits = model(input_ids=ids, use_cache=False).logits[0, :-1].float()
            total += float(torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="sum"))
            count += len(row) - 1
    return (round(total * 1_000_000 / count) if count else 0), count
