"""Is the difference between two models more than chance? A paired bootstrap: both are judged on the same items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Metric = Literal["loss", "error"]

DRAWS = 2000
DRAWS_AT_ONCE = 100
SEED = 1742
INTERVAL = (0.025, 0.975)
# A difference that can't be chance may still be too small to matter: what counts as regressed is larger than this.
LEAST_LOSS = 0.02  # of the base's loss
LEAST_ERROR = 0.02  # two answers in a hundred
MICRO = 1_000_000


@dataclass(frozen=True)
class Measured:
    """Per item: what base and model lost, and over how many predictions (1 for a question)."""

    base: Floats
    model: Floats
    counts: Floats


def interval(measured: Measured) -> tuple[float, float]:
    """95% interval of the mean difference, model less base, by drawing items with replacement. Seeded: it repeats."""
    difference, items = measured.model - measured.base, len(measured.counts)
    chance = np.random.default_rng(SEED)
    means: list[Floats] = []
    for _ in range(0, DRAWS, DRAWS_AT_ONCE):
        drawn = chance.multinomial(items, np.full(items, 1 / items), size=DRAWS_AT_ONCE)
        means.append(drawn @ difference / np.maximum(drawn @ measured.counts, 1e-12))
    low, high = np.quantile(np.concatenate(means), INTERVAL)
    return float(low), float(high)


def verdict(suite: str, metric: Metric, measured: Measured) -> dict[str, Any]:
    """The row of a suite: means and interval in millionths, and whether the model is worse beyond doubt and trifle."""
    count = int(measured.counts.sum())
    if count == 0:
        return _row(suite, metric, 0.0, 0.0, 0, (0.0, 0.0), False)
    base, model = float(measured.base.sum() / count), float(measured.model.sum() / count)
    low, high = interval(measured)
    least = LEAST_LOSS * base if metric == "loss" else LEAST_ERROR
    return _row(suite, metric, base, model, count, (low, high), low > 0 and model - base > least)


def _row(
    suite: str, metric: Metric, base: float, model: float, count: int, difference: tuple[float, float], regressed: bool
) -> dict[str, Any]:
    return {
        "suite": suite,
        "metric": metric,
        "base_micros": round(base * MICRO),
        "model_micros": round(model * MICRO),
        "count": count,
        "difference_low_micros": round(difference[0] * MICRO),
        "difference_high_micros": round(difference[1] * MICRO),
        "regressed": regressed,
    }
