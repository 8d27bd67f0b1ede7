"""Fixed-point arithmetic of evidence-0: 16 fractional bits, integers only, every division rounds down."""

from __future__ import annotations

from collections.abc import Sequence

ONE = 1 << 16


def log2(value: int) -> int:
    """floor(log2(value) * 65536) up to the truncation of 31-bit squaring; `value` is at least 1.

    The whole part is the position of the highest bit. The mantissa, in [1, 2) with 31 fractional bits, is squared
    sixteen times; each time it reaches 2, the next bit of the fraction is 1.
    """
    whole = value.bit_length() - 1
    mantissa = value << 31 >> whole
    fraction = 0
    for _ in range(16):
        mantissa = mantissa * mantissa >> 31
        fraction <<= 1
        if mantissa >> 32:
            mantissa >>= 1
            fraction |= 1
    return (whole << 16) | fraction


def share_out(total: int, scores: Sequence[int]) -> list[int]:
    """Splits `total` in proportion to `scores`: floors first, then one each by largest remainder, then first place.

    The parts sum to `total` exactly, or are all 0 when every score is 0.
    """
    whole = sum(scores)
    if whole == 0:
        return [0] * len(scores)
    parts = [score * total // whole for score in scores]
    rest = total - sum(parts)
    order = sorted(range(len(scores)), key=lambda i: (-(scores[i] * total % whole), i))
    for i in order[:rest]:
        parts[i] += 1
    return parts
