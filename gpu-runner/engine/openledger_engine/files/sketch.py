"""Near-duplicates by bottom-k sketches: the smallest hashes of a text's five-word shingles."""

from __future__ import annotations

import hashlib

SHINGLE_WORDS = 5
SKETCH_SIZE = 2048
NEAR_DUPLICATE_BPS = 8000

Sketch = frozenset[int]


def shingles(words: list[str]) -> list[int]:
    """A 64-bit hash of every five words in a row; a shorter text is one shingle."""
    last = max(1, len(words) - SHINGLE_WORDS + 1)
    rows = ("\n".join(words[i : i + SHINGLE_WORDS]).encode() for i in range(last))
    return [int.from_bytes(hashlib.blake2b(row, digest_size=8).digest(), "big") for row in rows]


def sketch(hashes: list[int]) -> Sketch:
    """The smallest distinct hashes. A text with at most SKETCH_SIZE shingles is kept whole, so compared exactly."""
    return frozenset(sorted(set(hashes))[:SKETCH_SIZE])


def similarity_bps(one: Sketch, other: Sketch) -> int:
    """Jaccard similarity in basis points, over the smallest hashes of the union. Exact for short texts."""
    union = sorted(one | other)[:SKETCH_SIZE]
    return sum(h in one and h in other for h in union) * 10_000 // len(union) if union else 0
