"""Words of a text: the tokens of evidence-0. Code point arithmetic only, so that any language can do the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Inclusive ranges of code points beyond ASCII that separate words: punctuation, symbols, spaces, surrogate-free.
SEPARATORS = (
    (0x0080, 0x00BF), (0x00D7, 0x00D7), (0x00F7, 0x00F7), (0x2000, 0x206F), (0x20A0, 0x20CF), (0x2100, 0x2BFF),
    (0x3000, 0x303F), (0xFE30, 0xFE4F), (0xFF00, 0xFF0F), (0xFF1A, 0xFF20), (0xFF3B, 0xFF40), (0xFF5B, 0xFF65),
    (0xFFF0, 0xFFFF),
)
# Scripts written without spaces: each code point is a word of its own.
SINGLES = (
    (0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF),
)
# (first, last, distance to the small letter)
CAPITALS = (
    (0x41, 0x5A, 32), (0xC0, 0xD6, 32), (0xD8, 0xDE, 32), (0x391, 0x3A1, 32), (0x3A3, 0x3A9, 32),
    (0x400, 0x40F, 80), (0x410, 0x42F, 32),
)

SEPARATOR, LETTER, SINGLE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Word:
    """A folded word and where it stands: byte offsets [start, end) in the UTF-8 text."""

    text: str
    start: int
    end: int


def kind(code: int) -> int:
    if code < 0x80:
        alphanumeric = 0x30 <= code <= 0x39 or 0x41 <= code <= 0x5A or 0x61 <= code <= 0x7A
        return LETTER if alphanumeric else SEPARATOR
    if any(low <= code <= high for low, high in SEPARATORS):
        return SEPARATOR
    return SINGLE if any(low <= code <= high for low, high in SINGLES) else LETTER


def fold(code: int) -> int:
    """The small letter for a capital of the ranges above; every other code point stays as it is."""
    for low, high, distance in CAPITALS:
        if low <= code <= high:
            return code + distance
    return code


def utf8_length(code: int) -> int:
    return 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4


class _Table(dict[int, tuple[int, str, int]]):
    """Kind, folded character and byte length of each code point met so far: texts repeat few of them."""

    def __missing__(self, code: int) -> tuple[int, str, int]:
        entry = (kind(code), chr(fold(code)), utf8_length(code))
        self[code] = entry
        return entry


_TABLE = _Table()


def split_words(text: str) -> list[Word]:
    """All words of a text in order. Maximal runs of letters, and single code points of unspaced scripts."""
    words: list[Word] = []
    letters: list[str] = []
    start = offset = 0
    for character in text:
        what, folded, length = _TABLE[ord(character)]
        if what == LETTER:
            if not letters:
                start = offset
            letters.append(folded)
        else:
            if letters:
                words.append(Word("".join(letters), start, offset))
                letters.clear()
            if what == SINGLE:
                words.append(Word(folded, offset, offset + length))
        offset += length
    if letters:
        words.append(Word("".join(letters), start, offset))
    return words


def _class(ranges: tuple[tuple[int, int], ...]) -> str:
    return "".join(f"{re.escape(chr(low))}-{re.escape(chr(high))}" for low, high in ranges)


# The same three kinds as a pattern: a run of what is neither separator nor single, or one single.
_ASCII_SEPARATORS = ((0x00, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7F))
_WORD = re.compile(f"[^{_class((*_ASCII_SEPARATORS, *SEPARATORS, *SINGLES))}]+|[{_class(SINGLES)}]")
_FOLDED = {code: code + distance for low, high, distance in CAPITALS for code in range(low, high + 1)}


def folded_words(text: str) -> list[str]:
    """The folded words of `split_words`, without their places: ten times as fast, for whole files."""
    return _WORD.findall(text.translate(_FOLDED))


def word_places(text: str) -> Iterator[tuple[int, int]]:
    """Characters [start, end) of each word: folding keeps their number."""
    return (found.span() for found in _WORD.finditer(text.translate(_FOLDED)))
