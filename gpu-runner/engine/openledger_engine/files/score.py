"""The score of a text, 1..10000: a function in integers that anybody can recompute.

    length   = min(10000, characters * 10000 / 20000)
    variety  = clamp((distinct words per 100 words, averaged over whole windows of 100) mapped from 30..70 to 0..10000)
    distinct = distinct five-word shingles * 10000 / all five-word shingles
    novelty  = 10000 - similarity to the nearest accepted text, in basis points
    score    = max(1, (3 * length + 4 * variety + 3 * novelty) / 10 * distinct / 10000)

Every division rounds down. Repetition multiplies, so that a sentence pasted a thousand times scores near nothing
however long it is; length saturates, so that volume alone doesn't win.
"""

from __future__ import annotations

WINDOW = 100
FULL_LENGTH = 20_000
POOR_VARIETY, RICH_VARIETY = 3_000, 7_000


def variety_bps(words: list[str]) -> int:
    """Mean distinct share over windows of 100 words; a text with fewer is one window."""
    windows = [words[i : i + WINDOW] for i in range(0, max(1, len(words) - WINDOW + 1), WINDOW)]
    share = sum(len(set(w)) * 10_000 // max(1, len(w)) for w in windows) // len(windows)
    return max(0, min(10_000, (share - POOR_VARIETY) * 10_000 // (RICH_VARIETY - POOR_VARIETY)))


def text_score(characters: int, words: list[str], hashes: list[int], nearest_bps: int) -> int:
    length = min(10_000, characters * 10_000 // FULL_LENGTH)
    distinct = len(set(hashes)) * 10_000 // len(hashes)
    mixed = (3 * length + 4 * variety_bps(words) + 3 * (10_000 - nearest_bps)) // 10
    return max(1, mixed * distinct // 10_000)
