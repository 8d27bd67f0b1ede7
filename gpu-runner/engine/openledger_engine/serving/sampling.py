"""Choosing the next token: a pure function of logits, settings and position, so that anyone can check each choice.

docs/spec/engine-protocol.md states the rule. Nothing here keeps state between tokens: the random number of output
position t is a hash of the seed and t.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

from ..runtime import torch_module

DOMAIN = b"openledger-sampling-0"


@dataclass(frozen=True)
class Sampling:
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0  # 0: no limit
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    logit_bias: tuple[tuple[int, float], ...] = ()
    seed: int = 0

    @property
    def adjusts(self) -> bool:
        return bool(
            self.repetition_penalty != 1 or self.presence_penalty or self.frequency_penalty or self.logit_bias
        )


def uniform(seed: int, position: int) -> float:
    """In [0, 1): the first 53 bits of sha256(DOMAIN, seed and position as 8 bytes each, big-endian)."""
    digest = hashlib.sha256(DOMAIN + seed.to_bytes(8, "big") + position.to_bytes(8, "big")).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / (1 << 53)


def adjust(row: Any, sampling: Sampling, prompt: list[int], output: list[int]) -> Any:
    """Penalties and biases on logits [vocabulary] in fp32. Returns new logits."""
    torch = torch_module()
    row = row.clone()
    if sampling.repetition_penalty != 1 and (prompt or output):
        seen = torch.tensor(sorted({*prompt, *output}), device=row.device)
        values = row[seen]
        row[seen] = torch.where(values > 0, values / sampling.repetition_penalty, values * sampling.repetition_penalty)
    if (sampling.presence_penalty or sampling.frequency_penalty) and output:
        counts = Counter(output)
        said = torch.tensor(list(counts), device=row.device)
        times = torch.tensor(list(counts.values()), device=row.device, dtype=row.dtype)
        row[said] -= sampling.presence_penalty + sampling.frequency_penalty * times
    for token, bias in sampling.logit_bias:
        row[token] += bias
    return row


@dataclass(frozen=True)
class Kept:
    """Tokens of each row in falling order of probability (equal ones by id), and the probabilities of those kept."""

    order: Any  # [rows, vocabulary]
    chances: Any  # float64 [rows, vocabulary]; 0 for those cut off; not normalised


def keep(logits: Any, samplings: list[Sampling]) -> Kept:
    """The distributions to draw from: softmax at the temperature, then top_k, min_p and top_p in this order."""
    torch = torch_module()

    def column(values: list[float]) -> Any:
        return torch.tensor(values, dtype=torch.float64, device=logits.device)[:, None]

    heat = column([s.temperature for s in samplings])
    chances, order = torch.softmax(logits.double() / heat, dim=-1).sort(dim=-1, descending=True, stable=True)
    if any(s.top_k for s in samplings):
        limit = column([s.top_k or logits.shape[-1] for s in samplings])
        chances = chances * (torch.arange(logits.shape[-1], device=logits.device) < limit)
    if any(s.min_p for s in samplings):
        chances = chances * (chances >= column([s.min_p for s in samplings]) * chances[:, :1])
    if any(s.top_p < 1 for s in samplings):
        before = chances.cumsum(-1) - chances
        cut = before >= column([s.top_p for s in samplings]) * chances.sum(-1, keepdim=True)
        cut[:, 0] = False
        chances = chances * ~cut
    return Kept(order, chances)


def choose(logits: Any, samplings: list[Sampling], positions: list[int]) -> list[int]:
    """One token for each row of adjusted logits [rows, vocabulary], as output positions `positions`.

    Temperature 0 takes the best, the lowest id among equals.
    """
    torch = torch_module()
    best = logits.argmax(dim=-1).tolist()
    drawn = [row for row, sampling in enumerate(samplings) if sampling.temperature > 0]
    if not drawn:
        return list(best)
    kept = keep(logits[drawn], [samplings[row] for row in drawn])
    sums = kept.chances.cumsum(-1)
    numbers = [uniform(samplings[row].seed, positions[row]) for row in drawn]
    marks = torch.tensor(numbers, dtype=torch.float64, device=logits.device)[:, None] * sums[:, -1:]
    # The first token whose sum is above the mark. Rounding may put the mark on the sum itself: then the last one kept.
    last = (kept.chances > 0).sum(-1, keepdim=True) - 1
    at = torch.minimum(torch.searchsorted(sums, marks, right=True), last)
    for row, token in zip(drawn, kept.order.gather(-1, at)[:, 0].tolist(), strict=True):
        best[row] = token
    return list(best)
