"""Which contribution each word of an output belongs to: the first registered one that holds a rare span around it."""

from __future__ import annotations

from .index import EvidenceIndex
from .rarity import weight

MIN_WORDS = 4
MIN_BITS = 16 << 16


def bare_bits(words: list[str]) -> list[int]:
    """Running sums of the words' weights by the reference alone. Shape [len(words) + 1]."""
    sums = [0]
    for word in words:
        sums.append(sums[-1] + weight(word, 0))
    return sums


def rare_enough(sums: list[int], start: int, end: int) -> bool:
    """A span counts as evidence when it has words and bits enough, by a measure that no datanet can shift."""
    return end - start >= MIN_WORDS and sums[end] - sums[start] >= MIN_BITS


def quoted(words: list[str], prompt: list[str], sums: list[int]) -> list[bool]:
    """Marks the output's words that lie in a rare span of the prompt: repeating the asker proves nothing."""
    marks = [False] * len(words)
    places: dict[str, list[int]] = {}
    for i, word in enumerate(prompt):
        places.setdefault(word, []).append(i)
    for start in range(len(words)):
        longest = 0
        for place in places.get(words[start], ()):
            length = 0
            while (
                start + length < len(words)
                and place + length < len(prompt)
                and words[start + length] == prompt[place + length]
            ):
                length += 1
            longest = max(longest, length)
        if longest and rare_enough(sums, start, start + longest):
            marks[start : start + longest] = [True] * longest
    return marks


def owners(index: EvidenceIndex, words: list[str], prompt: list[str]) -> list[tuple[int, ...]]:
    """For each word of the output the contributions it is credited to (indices into `index.ids`), mostly one or none.

    A contribution supports a word when it holds, in a row, a rare-enough span of the output that includes the word.
    Of the supporters those with the lowest registration order own it; several only when their orders are equal.
    """
    sums = bare_bits(words)
    marks = quoted(words, prompt, sums)
    found: list[tuple[int, ...]] = [()] * len(words)
    for start in range(len(words)):
        interval = index.suffixes.everything()
        claimed = start  # words before this one are claimed by a shorter span from the same start
        for end in range(start + 1, len(words) + 1):
            word = index.vocabulary.get(words[end - 1])
            if word is None:
                break
            interval = index.suffixes.narrow(interval, end - 1 - start, word)
            if interval[0] == interval[1]:
                break
            if rare_enough(sums, start, end):
                holders = index.contributions_in(interval)
                first = index.orders[holders[0]]
                claim = tuple(h for h in holders if index.orders[h] == first)
                for i in range(claimed, end):
                    found[i] = _earlier(index, found[i], claim)
                claimed = end
    return [() if mark else owner for mark, owner in zip(marks, found, strict=True)]


def _earlier(index: EvidenceIndex, one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    if not one or not other:
        return one or other
    mine, theirs = index.orders[one[0]], index.orders[other[0]]
    if mine != theirs:
        return one if mine < theirs else other
    return tuple(sorted({*one, *other}))
