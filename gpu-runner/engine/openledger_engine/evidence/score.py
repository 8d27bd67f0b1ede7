"""From owned words to weights: span scores, a bounded BM25 factor, and the scaled rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .fixed import ONE, share_out
from .index import EvidenceIndex, id_key
from .rarity import weight
from .support import bare_bits, owners, rare_enough
from .words import Word, split_words

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
        self._orders: dict[str, np.ndarray] = {}

    def of(self, word: str, order: int) -> int:
        return weight(word, int(np.searchsorted(self._occurrences(word), order, side="left")))

    def _occurrences(self, word: str) -> np.ndarray:
        """Registration orders of the contributions of all occurrences of `word`, ascending."""
        if word not in self._orders:
            index = self._index
            found = index.vocabulary.get(word)
            positions: np.ndarray = np.zeros(0, np.int64)
            if found is not None:
                low, high = index.suffixes.narrow(index.suffixes.everything(), 0, found)
                positions = index.suffixes.suffixes[low:high]
            at = np.searchsorted(np.array(index.starts), positions, side="right") - 1
            self._orders[word] = np.sort(np.array(index.orders, np.int64)[at])
        return self._orders[word]


def bm25_factor(index: EvidenceIndex, weights: Weights, contribution: int, distinct: list[str]) -> int:
    """How near the output is to the contribution's best chunk: 0..65536, of the highest score BM25 could give.

    BM25 with k1 = 1.2, b = 0.75 and a nominal chunk length of 128, so that no other file's length matters. All
    fractions are cleared: tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * length / 128)), times 5120 above and below.
    """
    order = index.orders[contribution]
    bits = {index.vocabulary.get(word, -1): weights.of(word, order) for word in distinct}
    # 2.2 is the limit of tf * 2.2 / (tf + K): the score of a chunk that repeats every word without end.
    ideal = sum(weights.of(word, order) for word in distinct) * 22 // 10
    if ideal == 0:
        return 0
    ids = index.words_of(contribution)
    best = 0
    for start in range(0, len(ids), CHUNK_WORDS):
        chunk = ids[start : start + CHUNK_WORDS]
        length = len(chunk)
        kept, counts = np.unique(chunk, return_counts=True)
        total = 0
        for word, count in zip(kept.tolist(), counts.tolist(), strict=True):
            if word in bits:
                total += bits[word] * count * 11264 // (5120 * count + 12 * (128 + 3 * length))
        best = max(best, total)
    return (best << 16) // ideal


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
                bits = weights.of(word.text, index.orders[contribution])
                # What an equal split leaves over goes to the lowest ids, one each.
                score += bits // many + (place < bits % many)
            scores[contribution] = scores.get(contribution, 0) + score
            spans.append(Span(index.ids[contribution], words[start].start, words[end - 1].end, score))
        start = end
    return spans, scores


def attribute_output(
    index: EvidenceIndex, prompt_text: str, output_text: str
) -> tuple[list[tuple[str, int]], list[Span]]:
    """evidence-0: rows (contribution id, weight) in the order of ids, and the spans behind them."""
    words = split_words(output_text)
    texts = [word.text for word in words]
    weights = Weights(index)
    owned = owners(index, texts, [word.text for word in split_words(prompt_text)])
    spans, scores = runs(index, words, owned, weights)
    distinct = sorted(set(texts))
    combined = {
        index.ids[c]: score * (ONE + bm25_factor(index, weights, c, distinct)) >> 16 for c, score in scores.items()
    }
    best = sorted((i for i in combined if combined[i]), key=lambda i: (-combined[i], id_key(i)))[:MAX_ROWS]
    ids = sorted(best, key=id_key)
    parts = share_out(TOTAL, [combined[i] for i in ids])
    rows = [(i, part) for i, part in zip(ids, parts, strict=True) if part]
    return rows, sorted(spans, key=lambda s: (s.start, id_key(s.contribution_id)))
