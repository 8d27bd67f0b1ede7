"""Multiple choice: the answer that a model finds likeliest, a byte of it for a byte. No text is generated."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..methods import Job
from ..runtime import device, torch_module
from ..training.objective import token_losses

CHOICES = 4
AT_ONCE = 16
LEAST_WORDS = 16
CONTEXT_WORDS, ANSWER_WORDS = 48, 16
TASKS = Path(__file__).parent / "general-tasks.jsonl"


@dataclass(frozen=True)
class Item:
    """A text to go on from, and continuations of which the one at `answer` is right."""

    context: str
    choices: tuple[str, ...]
    answer: int


def continuations(texts: list[str]) -> list[Item]:
    """Which of four passages goes on from here? Passage and wrong ones are cut from the rows; hashes choose them."""
    cut = [_cut(text.split()) for text in dict.fromkeys(texts) if len(text.split()) >= LEAST_WORDS]
    items = []
    for context, true in cut:
        others = sorted({answer for _, answer in cut} - {true}, key=lambda answer: _key(context, answer))
        if len(others) < CHOICES - 1:
            return []
        mixed = sorted([true, *others[: CHOICES - 1]], key=lambda answer: _key(answer, context))
        items.append(Item(context, tuple(f" {answer}" for answer in mixed), mixed.index(true)))
    return items


def _cut(words: list[str]) -> tuple[str, str]:
    """The row's first half, or its end where that is long, and what follows."""
    middle = len(words) // 2
    return " ".join(words[max(0, middle - CONTEXT_WORDS) : middle]), " ".join(words[middle : middle + ANSWER_WORDS])


def _key(*texts: str) -> bytes:
    return hashlib.sha256("\n".join(texts).encode()).digest()


@cache
def general_tasks() -> tuple[Item, ...]:
    """The items that ship with the engine: arithmetic, order, grammar, words. models/general_tasks.py makes them."""
    lines = TASKS.read_text("utf-8").splitlines()
    return tuple(Item(row["context"], tuple(row["choices"]), row["answer"]) for row in map(json.loads, lines))


def wrong_answers(model: Any, tokenizer: Any, items: list[Item], length: int, job: Job) -> list[float]:
    """1 for each item whose likeliest continuation is a wrong one, else 0."""
    candidates = [_coded(tokenizer, item.context, choice, length) for item in items for choice in item.choices]
    losses: list[float] = []
    for start in range(0, len(candidates), AT_ONCE):
        job.check()
        losses.extend(_losses(model, candidates[start : start + AT_ONCE]))
    wrong, place = [], 0
    for item in items:
        sizes = [len(choice.encode()) for choice in item.choices]
        scores = [losses[place + i] / size for i, size in enumerate(sizes)]
        wrong.append(float(scores.index(min(scores)) != item.answer))
        place += len(sizes)
    return wrong


def _coded(tokenizer: Any, context: str, choice: str, length: int) -> tuple[list[int], int]:
    """(ids of context and choice, how many of them are the context's). Too long a context loses its beginning."""
    before = list(tokenizer(context, verbose=False)["input_ids"])
    after = list(tokenizer(choice, add_special_tokens=False, verbose=False)["input_ids"])[: length - 1]
    before = before[-(length - len(after)) :]
    return before + after, len(before)


def _losses(model: Any, candidates: list[tuple[list[int], int]]) -> list[float]:
    """Summed loss of each choice. Padding on the right is never seen by what stands before it."""
    torch = torch_module()
    longest = max(len(ids) for ids, _ in candidates)
    ids = torch.tensor([row + [0] * (longest - len(row)) for row, _ in candidates], device=device())
    asked = torch.tensor([[before <= i < len(row) for i in range(longest)] for row, before in candidates], device=device())
    with torch.inference_mode():
        losses = token_losses(model, ids, asked)
    return [float(part.sum()) for part in losses.split([len(row) - before for row, before in candidates])]
