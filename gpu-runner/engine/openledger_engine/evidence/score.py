"""From owned words to weights: span scores, a bounded BM25 factor, and the scaled rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .fixed import ONE, share_out
from .index import EvidenceIndex, id_key
from .rarity import weight
from .support import bare_bits, owners, rare_enough
from .words import Word, folded_words, split_words

CHUNK_WORDS = 128
TOTAL = (1 << 32) - 1
MAX_ROWS = 10_000


@dataclass(frozen=True)
class Span:
    """A run of output words with the same owner; bytes [start, end) of the output's UTF-8, score in fixed bits."""

    contribution_id: str
    start: int
    end: int
    score: int


class Weights:
    """Word weights as they were when a contribution was registered. One query's memory of the corpus."""

    def __init__(self, index: EvidenceIndex) -> None:
        self._index = index
        self._known: dict[tuple[str, int], int] = {}
        self._before: dict[int, int] = {}

    def of(self, word: str, order: int) -> int:
        key = word, order
        if key not in self._known:
            if order not in self._before:
                self._before[order] = self._index.first_place_of(order)
            # A word that the reference alone makes common weighs nothing; its many places need no counting.
            known = weight(word, 0)
            self._known[key] = known and weight(word, self._index.occurrences(word, self._before[order]))
        return self._known[key]


def bm25_factor(index: EvidenceIndex, weights: Weights, contribution: int, distinct: list[str]) -> int:
    """How near the output is to the contribution's best chunk: 0..65536, of the highest score BM25 could give.

    BM25 with k1 = 1.2, b = 0.75 and a nominal chunk length of 128, so that no other file's length matters. All
    fractions are cleared: tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * length / 128)), times 5120 above and below.
    """
    order = int(index.orders[contribution])
    bits = {word: bit for word in distinct if (bit := weights.of(word, order))}
    # 2.2 is the limit of tf * 2.2 / (tf + K): the score of a chunk that repeats every word without end.
    ideal = sum(bits.values()) * 22 // 10
    if ideal == 0:
        return 0
    start, length = int(index.starts[contribution]), index.entries[contribution].length
    weight_of = np.zeros(len(index.vocabulary) + 1, np.int64)
    for word, bit in bits.items():
        if word in index.vocabulary:
            weight_of[index.vocabulary[word]] = bit
    ids = index.text.ids[start : start + length]
    places = np.flatnonzero(weight_of[ids])
    # One number for each pair of chunk and word, so that equal ones are counted in one go.
    pairs, counts = np.unique(places // CHUNK_WORDS * len(weight_of) + ids[places], return_counts=True)
    chunks, found = np.divmod(pairs, len(weight_of))
    lengths = np.minimum(CHUNK_WORDS, length - chunks * CHUNK_WORDS)
    scores = np.zeros(-(-length // CHUNK_WORDS), np.int64)
    np.add.at(scores, chunks, weight_of[found] * counts * 11264 // (5120 * counts + 12 * (128 + 3 * lengths)))
    return (int(scores.max(initial=0)) << 16) // ideal


def runs(
    index: EvidenceIndex, words: list[Word], owned: list[tuple[int, ...]], weights: Weights
) -> tuple[list[Span], dict[int, int]]:
    """Spans of equal ownership, and each contribution's span score. Joint owners share each word's bits.

    A span must be rare enough by itself: a copy can't live on the words that it adds around somebody else's.
    """
    sums = bare_bits([word.text for word in words])
    spans: list[Span] = []
    scores: dict[int, int] = {}
    start = 0
    while start < len(words):
        end = start + 1
        while end < len(words) and owned[end] == owned[start]:
            end += 1
        for place, contribution in enumerate(owned[start] if rare_enough(sums, start, end) else ()):
            many = len(owned[start])
            score = 0
            for word in words[start:end]:
                bits = weights.of(word.text, int(index.orders[contribution]))
                # What an equal split leaves over goes to the lowest ids, one each.
                score += bits // many + (place < bits % many)
            scores[contribution] = scores.get(contribution, 0) + score
            spans.append(Span(index.entries[contribution].id, words[start].start, words[end - 1].end, score))
        start = end
    return spans, scores


def attribute_output(
    index: EvidenceIndex, prompt_text: str, output_text: str
) -> tuple[list[tuple[str, int]], list[Span]]:
    """evidence-0: rows (contribution id, weight) in the order of ids, and the spans behind them."""
    words = split_words(output_text)
    texts = [word.text for word in words]
    weights = Weights(index)
    owned = owners(index, texts, folded_words(prompt_text))
    spans, scores = runs(index, words, owned, weights)
    distinct = sorted(set(texts))
    combined = {
        index.entries[c].id: score * (ONE + bm25_factor(index, weights, c, distinct)) >> 16 for c, score in scores.items()
    }
    return rows_of(combined), sorted(spans, key=lambda s: (s.start, id_key(s.contribution_id)))


def rows_of(scores: Mapping[str, int]) -> list[tuple[str, int]]:
    """Positive scores as weights that sum to 2^32 - 1, by id; of too many the highest, lower ids first among equals."""
    best = sorted((i for i in scores if scores[i] > 0), key=lambda i: (-scores[i], id_key(i)))[:MAX_ROWS]
    ids = sorted(best, key=id_key)
    parts = share_out(TOTAL, [scores[i] for i in ids])
    return [(i, part) for i, part in zip(ids, parts, strict=True) if part]
