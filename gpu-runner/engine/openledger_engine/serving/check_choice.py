"""Was a token the one that the sampling rule gives? Judged on logits that may differ a little from those of the answer.

`tolerance` bounds that difference for every logit. The ratio of two probabilities then differs by a factor of at most
exp(2 * tolerance / temperature), the slack; two tokens closer than it may have stood in either order. The interval in
which the random number has to lie is widened by just that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ..runtime import torch_module
from .sampling import Sampling, keep, uniform


@dataclass(frozen=True)
class Judgement:
    agrees: bool
    logit_gap: float  # greedy: how far below the best logit the token is
    cdf_gap: float  # sampled: how far the random number is from the token's interval; 1 when the rule drops the token


def check_choice(logits: Any, token: int, sampling: Sampling, position: int, tolerance: float) -> Judgement:
    """Whether `token` may have been chosen from the adjusted logits [vocabulary] as output position `position`."""
    # A repetition penalty multiplies a logit, and with it the difference.
    tolerance *= max(sampling.repetition_penalty, 1 / sampling.repetition_penalty)
    if sampling.temperature == 0:
        gap = float(logits.max() - logits[token])
        return Judgement(gap <= 2 * tolerance, gap, 0.0)
    number = uniform(sampling.seed, position)
    gap = _distance(logits, token, sampling, number)
    if gap == 0:
        return Judgement(True, 0.0, 0.0)
    low, high = _interval(logits, token, sampling, math.exp(min(2 * tolerance / sampling.temperature, 20.0)))
    return Judgement(low <= number <= high, 0.0, gap)


def _distance(logits: Any, token: int, sampling: Sampling, number: float) -> float:
    """From the number to the interval that the rule itself gives the token."""
    kept = keep(logits[None], [sampling])
    chances = kept.chances[0] / kept.chances[0].sum()
    place = int((kept.order[0] == token).nonzero())
    if chances[place] == 0:
        return 1.0
    low = float(chances[:place].sum())
    return max(low - number, number - low - float(chances[place]), 0.0)


def _interval(logits: Any, token: int, sampling: Sampling, slack: float) -> tuple[float, float]:
    """Where the number may lie with any logits within the tolerance; (1, 0) when none of them keeps the token."""
    torch = torch_module()
    chances = torch.softmax(logits.double() / sampling.temperature, dim=-1)
    ranked = chances.sort(descending=True).values
    most, least = _kept(ranked, sampling, slack), _kept(ranked, sampling, 1 / slack)
    own = float(chances[token])
    if own * slack < float(most[-1]):
        return 1.0, 0.0
    cut = slack if len(least) < len(ranked) else 1.0
    before = min(float(chances[chances > own * slack].sum()) / (float(most.sum()) * cut), 1.0)
    through = min(float(chances[chances >= own / slack].sum()) / (float(least.sum()) / cut), 1.0)
    return max(before / slack, 1 - (1 - before) * slack), min(through * slack, 1 - (1 - through) / slack)


def _kept(ranked: Any, sampling: Sampling, ease: float) -> Any:
    """What top_k, min_p and top_p leave of falling probabilities when each lets through `ease` times as much."""
    if sampling.top_k:
        ranked = ranked[: sampling.top_k]
    if sampling.min_p:
        ranked = ranked[ranked >= min(sampling.min_p / ease, 1.0) * ranked[0]]
    if sampling.top_p < 1:
        before = ranked.cumsum(-1) - ranked
        ranked = ranked[: max(int((before < sampling.top_p * ease * ranked.sum()).sum()), 1)]
    return ranked
