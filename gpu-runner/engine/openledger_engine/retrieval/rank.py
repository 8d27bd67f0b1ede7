"""Which chunks a prompt is answered from: fixed-point BM25 over words that nobody registered earlier."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from ..evidence.fixed import log2
from ..evidence.index import EvidenceIndex
from ..evidence.rarity import COMMON_BITS, NOMINAL_BITS, reference_counts, weight
from ..evidence.score import CHUNK_WORDS
from ..evidence.suffixes import Places
from ..evidence.support import Mask, bare_bits, covered, rare_matches
from ..evidence.words import folded_words
from .passages import first_chunks

_COMMON = 1 << NOMINAL_BITS - COMMON_BITS  # a word this frequent weighs nothing
_WEIGHTS = np.array([0, *((NOMINAL_BITS - COMMON_BITS << 16) - log2(n) for n in range(1, _COMMON + 1))], np.int64)


@dataclass(frozen=True)
class Ranked:
    """A chunk, counted over all contributions (so in the order of registration), and its score in 16.16 bits."""

    contribution: int
    chunk: int
    score: int


class Query:
    """One prompt against one index. Scores are those of retrieval-0; every division rounds down."""

    def __init__(self, index: EvidenceIndex, text: str) -> None:
        self._index = index
        # A word that the reference alone makes common adds nothing to any score.
        asked = sorted(word for word in set(folded_words(text)) if word in index.vocabulary and weight(word, 0))
        self._words = {index.vocabulary[word]: word for word in asked}
        self._firsts = first_chunks(index)
        self._lengths = np.array([entry.length for entry in index.entries], np.int64)
        firsts = np.searchsorted(index.orders, index.orders, side="left")
        self._order_starts = index.starts[firsts]  # where the words of the contribution's order begin

    def best(self, count: int) -> list[Ranked]:
        """The highest scores, at most `count` and above 0; among equals the chunk that was registered first."""
        upper = self._upper_bounds()
        candidates = np.flatnonzero(upper)
        kept: list[tuple[int, int]] = []  # a heap of (score, -chunk): the worst one first
        for chunk in candidates[np.lexsort((candidates, -upper[candidates]))].tolist():
            # No later candidate's bound is higher. The lower chunk wins a tie.
            if len(kept) == count and (int(upper[chunk]), -chunk) < kept[0]:
                break
            score = self._own_score(chunk)
            if score:
                heapq.heappush(kept, (score, -chunk))
                if len(kept) > count:
                    heapq.heappop(kept)
        return [Ranked(self._contribution(-c), -c, score) for score, c in sorted(kept, reverse=True)]

    def _contribution(self, chunk: int) -> int:
        return int(np.searchsorted(self._firsts, chunk, side="right")) - 1

    def _upper_bounds(self) -> Places:
        """Scores of all chunks if every word in them counted. Shape [chunks]."""
        scores = np.zeros(int(self._firsts[-1]), np.int64)
        for word in self._words:
            places = np.sort(self._index.text.places_of(word)).astype(np.int64)
            owners = self._index.contributions_at(places)
            chunks, first, counts = np.unique(
                self._firsts[owners] + (places - self._index.starts[owners]) // CHUNK_WORDS,
                return_index=True, return_counts=True,
            )
            owners = owners[first]
            weights = self._weights(word, np.searchsorted(places, self._order_starts[owners]))
            scores[chunks] += _bm25(weights, counts, self._chunk_lengths(owners, chunks))
        return scores

    def _weights(self, word: int, earlier: Places) -> Places:
        """W of evidence-0 for a word after so many earlier occurrences."""
        count = reference_counts().get(self._words[word], 0) + earlier + 1
        return _WEIGHTS[np.minimum(count, _COMMON)]

    def _chunk_lengths(self, contributions: Places, chunks: Places) -> Places:
        return np.minimum(CHUNK_WORDS, self._lengths[contributions] - (chunks - self._firsts[contributions]) * CHUNK_WORDS)

    def _own_score(self, chunk: int) -> int:
        """The score of the words that no earlier contribution holds in a rare row: a copy has none of its own."""
        contribution = self._contribution(chunk)
        start = int(self._index.starts[contribution]) + (chunk - int(self._firsts[contribution])) * CHUNK_WORDS
        end = min(start + CHUNK_WORDS, self._index.end_of(contribution))
        ids = self._index.text.ids[start:end].astype(np.int64)
        own = ids[~self._foreign(ids, int(self._order_starts[contribution]))]
        total = 0
        for word in self._words:
            count = int(np.count_nonzero(own == word))
            if count:
                earlier = np.count_nonzero(self._index.text.places_of(word) < self._order_starts[contribution])
                total += int(_bm25(self._weights(word, earlier), count, end - start))
        return total

    def _foreign(self, ids: Places, before: int) -> Mask:
        """Which of a chunk's words lie in a rare row that stands in the text before this place."""
        sums = bare_bits([self._index.words[i - 1] for i in ids])
        matches = rare_matches(self._index.text, ids, sums)
        return covered(len(ids), ((m.start, m.end) for m in matches if m.place < before))


def _bm25(weights: Places, count: Places | int, length: Places | int) -> Places:
    return weights * count * 11264 // (5120 * count + 12 * (128 + 3 * length))
