"""Near-duplicate recordings: which of 33 bands gain energy over their neighbour, from one moment to the next.

Bits of such differences don't change with the volume, and little with the coding (Haitsma and Kalker, 2002).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

HERTZ = 5512
WINDOW, HOP = 2048, 256  # 0.37 s and 46 ms
BANDS = 33
LOWEST, HIGHEST = 300.0, 2000.0
FRAMES_AT_ONCE = 512
MAX_FRAMES = 4096  # about three minutes from the start are compared
MAX_SHIFT = 64
LEAST_FRAMES = 4
# Recordings that have nothing in common agree in half of the bits.
NEAR_SHARE = 0.75

Floats = npt.NDArray[np.float32]
Prints = npt.NDArray[np.uint32]


def mono(block: Floats, hertz: int) -> Floats:
    """Channels [frames, channels] mixed, and averaged down to about HERTZ: each new sample is the mean of its span."""
    mixed = block.mean(axis=1)
    count = max(1, len(mixed) * HERTZ // hertz)
    edges = np.arange(count + 1) * len(mixed) // count
    sums = np.concatenate([[0.0], np.cumsum(mixed, dtype=np.float64)])
    spans = np.maximum(1, np.diff(edges))
    return ((sums[edges[1:]] - sums[edges[:-1]]) / spans).astype(np.float32)


def fingerprint(samples: Floats, hertz: int) -> Prints:
    """A word of 32 bits for each moment. Short recordings are padded to one window."""
    samples = np.pad(samples, (0, max(0, WINDOW + HOP - len(samples))))
    count = min(MAX_FRAMES + 1, 1 + (len(samples) - WINDOW) // HOP)
    window = np.hanning(WINDOW).astype(np.float32)
    edges = (np.geomspace(LOWEST, HIGHEST, BANDS + 1) * WINDOW / hertz).astype(int)
    bands = np.empty((count, BANDS), dtype=np.float64)
    for start in range(0, count, FRAMES_AT_ONCE):
        stop = min(count, start + FRAMES_AT_ONCE)
        moments = np.stack([samples[i * HOP : i * HOP + WINDOW] for i in range(start, stop)]) * window
        power = np.abs(np.fft.rfft(moments, axis=1)) ** 2
        bands[start:stop] = np.add.reduceat(power, edges, axis=1)[:, :BANDS]
    gains = np.diff(np.diff(bands, axis=1), axis=0) > 0
    return np.packbits(gains, axis=1).view(">u4").reshape(-1).astype(np.uint32)


def similarity(one: Prints, other: Prints) -> float:
    """The largest share of equal bits over small shifts; 0 when one is much longer than the other, or both too short."""
    shorter = min(len(one), len(other))
    if shorter < LEAST_FRAMES or shorter * 10 < max(len(one), len(other)) * 8:
        return 0.0
    return max(_equal(one, other, shift) for shift in range(-MAX_SHIFT, MAX_SHIFT + 1))


def _equal(one: Prints, other: Prints, shift: int) -> float:
    a, b = (one[shift:], other) if shift >= 0 else (one, other[-shift:])
    length = min(len(a), len(b))
    if length * 2 < min(len(one), len(other)) or length < LEAST_FRAMES:
        return 0.0
    return 1 - float(_count(a[:length] ^ b[:length])) / (32 * length)


def _count(words: Any) -> int:
    return int(np.bitwise_count(words).sum())
