"""Near-duplicate pictures: 64 bits of the lowest frequencies of a small grey copy (DCT perceptual hash)."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

SIDE, KEPT = 32, 8
BITS = KEPT * KEPT
# Two pictures that have nothing in common differ in 32 bits on average; re-encoded or resized copies in a few.
NEAR_BITS = 8


@cache
def _cosines() -> npt.NDArray[np.float64]:
    """The first KEPT rows of the DCT-II of SIDE points."""
    place = np.arange(SIDE) + 0.5
    return np.array([np.cos(math.pi / SIDE * place * k) for k in range(KEPT)])


def picture_hash(grey: Any) -> int:
    """`grey` is a Pillow image of mode L. A bit says whether a frequency is above the median of all but the mean."""
    small = np.asarray(grey.resize((SIDE, SIDE), resample=1), dtype=np.float64)
    waves = (_cosines() @ small @ _cosines().T).reshape(-1)
    bits = waves > np.median(waves[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def differing_bits(one: int, other: int) -> int:
    return (one ^ other).bit_count()
