"""A suffix array over word ids, and the search in it. Built by doubling: sort by 1, 2, 4, ... words."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int32]


def suffix_array(ids: Ids) -> Ids:
    """Positions of `ids` (shape [n], values >= 0) in the order of the suffixes that begin there. Shape [n].

    A suffix that is a prefix of another comes first. O(n log n) sorting per doubling; as many doublings as the
    longest repeat has bits, so a corpus copied whole costs about 20.
    """
    n = len(ids)
    if n == 0:
        return np.zeros(0, np.int32)
    rank = ids.astype(np.int64) + 1
    width = 1
    while True:
        following = np.zeros(n, np.int64)  # rank 0: past the end, lower than any word
        following[: max(n - width, 0)] = rank[width:]
        keys = rank * (rank.max() + following.max() + 2) + following
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        fresh = np.empty(n, np.int64)
        fresh[order] = np.cumsum(np.concatenate(([1], ordered[1:] != ordered[:-1])))
        if fresh.max() == n:
            return order.astype(np.int32)
        rank, width = fresh, width * 2


class SuffixIndex:
    """Finds the positions of a row of words by narrowing an interval of the suffix array word by word."""

    def __init__(self, ids: Ids, suffixes: Ids) -> None:
        self.ids = ids
        self.suffixes = suffixes
        self._end = len(ids)

    def everything(self) -> tuple[int, int]:
        return 0, len(self.suffixes)

    def narrow(self, interval: tuple[int, int], depth: int, word: int) -> tuple[int, int]:
        """Those suffixes of `interval` (all share `depth` words) whose next word is `word`. [low, high)."""
        ids, suffixes, end = self.ids, self.suffixes, self._end

        def next_word(row: int) -> int:
            position = int(suffixes[row]) + depth
            return int(ids[position]) if position < end else -1

        rows = range(*interval)
        low = interval[0] + bisect_left(rows, word, key=next_word)
        high = interval[0] + bisect_right(rows, word, lo=low - interval[0], key=next_word)
        return low, high
