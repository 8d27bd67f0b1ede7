"""The linear datamodeling score: rank correlation of what a method predicts for a subset and what retraining gives."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def ranks(values: Floats) -> Floats:
    """Ranks along the last axis; equal values share the mean of theirs."""
    below = (values[..., None, :] < values[..., :, None]).sum(-1)
    equal = (values[..., None, :] == values[..., :, None]).sum(-1)
    return below + (equal - 1) / 2


def spearman(one: Floats, other: Floats) -> Floats:
    """Along the last axis. A constant row predicts nothing: 0."""
    a, b = ranks(one), ranks(other)
    a, b = a - a.mean(-1, keepdims=True), b - b.mean(-1, keepdims=True)
    norm = np.sqrt((a * a).sum(-1) * (b * b).sum(-1))
    return np.divide((a * b).sum(-1), norm, out=np.zeros(np.shape(norm)), where=norm > 0)


def scores(contributions: Floats, subsets: Floats, losses: Floats) -> Floats:
    """LDS of each query: contributions [queries, contributors], subsets [n, contributors] of 0 and 1, losses [n, queries].

    A higher score predicts a lower loss.
    """
    return spearman(contributions @ subsets.T, -losses.T)


def interval(contributions: Floats, subsets: Floats, losses: Floats, seed: int, rounds: int = 400) -> tuple[float, float]:
    """95% bootstrap interval of the mean LDS, over queries and over subsets at once."""
    rng = np.random.default_rng(seed)
    means = []
    for _ in range(rounds):
        rows = rng.integers(0, len(subsets), len(subsets))
        queries = rng.integers(0, len(contributions), len(contributions))
        means.append(scores(contributions[queries], subsets[rows], losses[np.ix_(rows, queries)]).mean())
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def difference(one: Floats, other: Floats, subsets: Floats, losses: Floats, seed: int, rounds: int = 400) -> tuple[float, float, float]:
    """Mean LDS of `one` less that of `other`, with the 95% interval of the difference on the same resamples."""
    rng = np.random.default_rng(seed)
    means = []
    for _ in range(rounds):
        rows = rng.integers(0, len(subsets), len(subsets))
        queries = rng.integers(0, len(one), len(one))
        measured = losses[np.ix_(rows, queries)]
        means.append((scores(one[queries], subsets[rows], measured) - scores(other[queries], subsets[rows], measured)).mean())
    low, high = np.quantile(means, [0.025, 0.975])
    return float((scores(one, subsets, losses) - scores(other, subsets, losses)).mean()), float(low), float(high)


def recall(contributions: Floats, owners: list[int], k: int) -> float:
    """Share of queries whose owner is among the k highest scores. Owners that tie with others count by their mean rank."""
    found = 0.0
    for row, owner in zip(contributions, owners, strict=True):
        higher = int((row > row[owner]).sum())
        tied = int((row == row[owner]).sum())
        found += min(1.0, max(0.0, (k - higher) / tied))
    return found / len(owners)
