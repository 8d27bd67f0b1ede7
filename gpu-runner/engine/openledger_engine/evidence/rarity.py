"""How rare a word is: -log2 of its unigram probability less 10 bits, at least 0, in 16.16 fixed point.

Ten bits are the surprise of a word that makes up a thousandth of the text: such words carry grammar, and weigh nothing.
The probability is (reference count + count in the datanet so far + 1) / 2^20. The reference counts are those of
ordinary English a million words long, shipped beside this file, so that "of the" weighs little in a datanet of
three files too. "So far" means: in contributions registered earlier. What comes later changes no weight.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path

from .fixed import log2

NOMINAL_BITS = 20
COMMON_BITS = 10


@functools.cache
def reference_counts() -> dict[str, int]:
    """Word -> occurrences in 2^20 words of ordinary English; absent words count 0."""
    path = Path(__file__).with_name("reference-words.json")
    counts: dict[str, int] = json.loads(path.read_text("utf-8"))["counts"]
    return counts


@functools.lru_cache(maxsize=1 << 16)
def weight(word: str, earlier: int) -> int:
    """Fixed-point bits that one occurrence of `word` carries; `earlier` is its count in earlier contributions."""
    return max(0, (NOMINAL_BITS - COMMON_BITS << 16) - log2(reference_counts().get(word, 0) + earlier + 1))
