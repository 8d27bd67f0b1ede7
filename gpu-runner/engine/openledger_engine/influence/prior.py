"""A prior from real scores: positive, bounded, quantised; and the integer rule that weights evidence with it.

Everything from the quantised prior on is integers, so anybody recomputes the rows that were paid.
"""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Iterable, Mapping, Sequence

from ..evidence.index import id_key
from ..evidence.score import rows_of

HIGHEST = (1 << 16) - 1
WHOLE_BPS = 10_000
CLIP = 8  # times the median positive score: an outlier can't silence the others
HEADER = "openledger influence-0 prior"


def quantise(scores: Sequence[float]) -> list[int]:
    """0..65535 each: what lowers the held-out loss counts, what raises it is 0; the highest kept score becomes 65535."""
    positive = [score for score in scores if score > 0]
    if not positive:
        return [0] * len(scores)
    top = min(max(positive), CLIP * statistics.median(positive))
    return [int(min(max(score, 0.0), top) / top * HIGHEST) for score in scores]


def prior_root(prior: Iterable[tuple[str, int]]) -> str:
    """sha256 over the header and a line `{id} {weight}` for each contribution, in the order of ids."""
    ordered = sorted(prior, key=lambda entry: id_key(entry[0]))
    lines = (HEADER, *(f"{i} {weight}" for i, weight in ordered))
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def weighted(
    rows: Sequence[tuple[str, int]], prior: Mapping[str, int], lambda_bps: int
) -> list[tuple[str, int]]:
    """evidence * (lambda + (1 - lambda) * prior) as rows again. A contribution without a prior has 0.

    With lambda = 10,000 the rows stay in proportion to the evidence; with 0 the prior decides what is left of it.
    """
    return rows_of({
        i: weight * (lambda_bps * HIGHEST + (WHOLE_BPS - lambda_bps) * prior.get(i, 0)) for i, weight in rows
    })
