"""Which contribution each word of an output belongs to: the first registered one that holds a rare span around it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .index import EvidenceIndex
from .rarity import weight
from .suffixes import Places, SuffixIndex

MIN_WORDS = 4
MIN_BITS = 16 << 16
_AT_ONCE = 1024  # starts that are searched together: bounds the memory of a long output

Mask = npt.NDArray[np.bool_]


def bare_bits(words: list[str]) -> Places:
    """Running sums of the words' weights by the reference alone. Shape [len(words) + 1]."""
    return np.cumsum([0, *(weight(word, 0) for word in words)], dtype=np.int64)


def rare_enough(sums: Places, start: int, end: int) -> bool:
    """A span counts as evidence when it has words and bits enough, by a measure that no datanet can shift."""
    return end - start >= MIN_WORDS and bool(sums[end] - sums[start] >= MIN_BITS)


@dataclass(frozen=True)
class Match:
    """pattern[start : end) stands in the text at `place`, the first of the places in suffix rows [low, high)."""

    start: int
    end: int
    place: int
    low: int
    high: int


def rare_matches(text: SuffixIndex, pattern: Places, sums: Places) -> Iterator[Match]:
    """From each start the shortest rare match, as long as its first place carries it; then the next longer one, and so on.

    So every rare range of the pattern that stands in the text is covered by a match whose place is the first of all
    places that hold the range. Ids of the pattern are -1 where the text lacks the word.
    """
    begins = np.arange(len(pattern))
    ends = np.maximum(np.searchsorted(sums, sums[:-1] + MIN_BITS, side="left"), begins + MIN_WORDS)
    unknown = np.append(np.where(pattern < 0, begins, len(pattern)), len(pattern))
    next_unknown = np.minimum.accumulate(unknown[::-1])[::-1][:-1]
    # Past the end is past the next unknown word, too.
    candidates = begins[ends <= next_unknown]
    for batch in range(0, len(candidates), _AT_ONCE):
        starts = candidates[batch : batch + _AT_ONCE]
        depths = ends[starts] - starts
        while len(starts):
            low, high = text.rows(pattern, starts, depths)
            held = low < high
            starts, low, high = starts[held], low[held], high[held]
            # Words stand in the order of registration: the lowest place is the earliest registered one.
            places = np.array([text.suffixes[a:b].min() for a, b in zip(low, high, strict=True)], np.int64)
            reach = text.common(places, pattern, starts)
            for row in zip(starts, starts + reach, places, low, high, strict=True):
                yield Match(*map(int, row))
            # Another place may carry the range further; a single one can't, nor beyond a word that the text lacks.
            further = (high - low > 1) & (starts + reach < next_unknown[starts])
            starts, depths = starts[further], reach[further] + 1


def quoted(words: list[str], prompt: list[str], sums: Places) -> Mask:
    """Marks the output's words that lie in a rare span of the prompt: repeating the asker proves nothing."""
    numbers = {word: i for i, word in enumerate(dict.fromkeys(prompt))}
    text = SuffixIndex.of(np.array([numbers[word] for word in prompt], np.int32))
    pattern = np.array([numbers.get(word, -1) for word in words], np.int64)
    return covered(len(words), ((m.start, m.end) for m in rare_matches(text, pattern, sums)))


def owners(index: EvidenceIndex, words: list[str], prompt: list[str]) -> list[tuple[int, ...]]:
    """For each word of the output the contributions it is credited to (places in `index.entries`), mostly one or none.

    A contribution supports a word when it holds, in a row, a rare-enough span of the output that includes the word.
    Of the supporters those with the lowest registration order own it; several only when their orders are equal.
    """
    sums = bare_bits(words)
    pattern = index.ids_of(words)
    claims: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for match in rare_matches(index.text, pattern, sums):
        for contribution, end in _first_holders(index, pattern, match):
            claims[contribution].append((match.start, end))
    free = ~quoted(words, prompt, sums)
    best = np.full(len(words), np.iinfo(np.int64).max)  # order of the word's owners
    found: list[list[int]] = [[] for _ in words]
    for contribution in sorted(claims):  # in the order of registration: whoever comes first keeps the word
        order = index.orders[contribution]
        mine = covered(len(words), claims[contribution]) & free & (best >= order)
        best[mine] = order
        for i in np.flatnonzero(mine):
            found[i].append(contribution)
    return [tuple(places) for places in found]


def _first_holders(index: EvidenceIndex, pattern: Places, match: Match) -> Iterator[tuple[int, int]]:
    """The contributions registered when the match's first holder was, and how far each of them carries it."""
    contribution = int(index.contributions_at(np.array([match.place]))[0])
    first, last = index.registered_at(int(index.orders[contribution]))
    if last - first == 1:
        yield contribution, match.end
        return
    places = index.text.suffixes[match.low : match.high].astype(np.int64)
    places = places[places < index.end_of(last - 1)]  # none stands before the first one's
    ends = match.start + index.text.common(places, pattern, np.full(len(places), match.start))
    carried = np.zeros(last - first, np.int64)
    np.maximum.at(carried, index.contributions_at(places) - first, ends)
    for place in np.flatnonzero(carried):
        yield first + int(place), int(carried[place])


def covered(length: int, ranges: Iterator[tuple[int, int]] | list[tuple[int, int]]) -> Mask:
    """Which of `length` places lie in at least one of the ranges [start, end)."""
    steps = np.zeros(length + 1, np.int64)
    for start, end in ranges:
        steps[start] += 1
        steps[end] -= 1
    return np.cumsum(steps[:-1]) > 0
