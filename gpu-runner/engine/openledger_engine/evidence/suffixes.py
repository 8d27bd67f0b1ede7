"""A suffix array over word ids, and what can be asked of it for many patterns at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[Any]  # uint16 or int32 on disk, int64 in queries
Places = npt.NDArray[np.int64]

MAX_WORDS = (1 << 29) - 1  # their bytes are numbered in 31 bits while they are sorted
_COMPARED = 32  # words that are compared in one step
_PAST_TEXT, _PAST_PATTERN = -2, -3  # equal to no id, to no unknown word (-1) and not to each other


def narrowest(ids: Ids) -> Ids:
    """The same ids in two bytes each when they fit: most datanets know fewer than 65,536 words."""
    return ids.astype(np.uint16 if ids.max(initial=0) < 1 << 16 else np.int32)


def suffix_array(ids: Ids) -> npt.NDArray[np.int32]:
    """Positions of `ids` (shape [n], values >= 0) in the order of the suffixes that begin there. Shape [n].

    A suffix that is a prefix of another comes first. Big-endian bytes compare like the numbers they spell, so the
    sorted suffixes of the bytes, of which only those at the start of a number are kept, are the sorted suffixes of the ids.
    """
    from pydivsufsort import divsufsort

    if len(ids) == 0:
        return np.zeros(0, np.int32)
    width = 2 if ids.max() < 1 << 16 else 4
    order = divsufsort(ids.astype(f">u{width}").tobytes())
    return np.asarray(order[order % width == 0] // width, np.int32)


@dataclass(frozen=True)
class SuffixIndex:
    """`suffixes[buckets[w] : buckets[w + 1]]` are the positions of word id `w`, in the order of what follows them."""

    ids: Ids
    suffixes: npt.NDArray[np.int32]
    buckets: Places

    @staticmethod
    def of(ids: Ids, suffixes: npt.NDArray[np.int32] | None = None) -> SuffixIndex:
        counts = np.bincount(ids) if len(ids) else np.zeros(1, np.int64)
        buckets = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        return SuffixIndex(ids, suffix_array(ids) if suffixes is None else suffixes, buckets)

    def places_of(self, word: int) -> npt.NDArray[np.int32]:
        """All positions of a word id, in no useful order; none for an id that doesn't occur."""
        known = 0 <= word < len(self.buckets) - 1
        return self.suffixes[self.buckets[word] : self.buckets[word + 1]] if known else self.suffixes[:0]

    def rows(self, pattern: Places, starts: Places, depths: Places) -> tuple[Places, Places]:
        """For each k the rows [low, high) of the suffixes that begin with pattern[starts[k] : starts[k] + depths[k]].

        All are searched together, by halving. The pattern's ids must occur in the text, the depths be at least 1.
        """
        columns = np.arange(int(depths.max(initial=1)))
        asked = columns < depths[:, None]
        wanted = pattern[np.minimum(starts[:, None] + columns, len(pattern) - 1)]
        first = pattern[starts]
        bounds: list[Places] = []
        for past_equal in (False, True):
            low, high = self.buckets[first], self.buckets[first + 1]
            while (unsettled := low < high).any():
                middle = (low + high) // 2
                at = self.suffixes[np.minimum(middle, len(self.suffixes) - 1)].astype(np.int64)
                difference = np.where(asked, self._words_at(at[:, None] + columns) - wanted, 0)
                sign = difference[np.arange(len(at)), (difference != 0).argmax(1)]
                below = (sign < 0) | (past_equal & (sign == 0))
                low = np.where(unsettled & below, middle + 1, low)
                high = np.where(unsettled & ~below, middle, high)
            bounds.append(low)
        return bounds[0], bounds[1]

    def common(self, places: Places, pattern: Places, starts: Places) -> Places:
        """How many words the text from places[k] on has in common with the pattern from starts[k] on."""
        lengths = np.zeros(len(places), np.int64)
        columns = np.arange(_COMPARED)
        open_ = np.arange(len(places))
        while len(open_):
            ahead = starts[open_, None] + lengths[open_, None] + columns
            wanted = np.where(ahead < len(pattern), pattern[np.minimum(ahead, len(pattern) - 1)], _PAST_PATTERN)
            equal = self._words_at(places[open_, None] + lengths[open_, None] + columns) == wanted
            run = np.where(equal.all(1), _COMPARED, equal.argmin(1))
            lengths[open_] += run
            open_ = open_[run == _COMPARED]
        return lengths

    def _words_at(self, places: Places) -> Places:
        """Ids at these positions; past the end what is lower than any id."""
        found = self.ids[np.minimum(places, len(self.ids) - 1)].astype(np.int64)
        return np.where(places < len(self.ids), found, _PAST_TEXT)
