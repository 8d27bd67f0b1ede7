"""The evidence index of one datanet version: words as ids, a suffix array over them, and who stands where."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .suffixes import Ids, Places, SuffixIndex, narrowest

HEADER = "openledger evidence-0 index"


def id_key(contribution_id: str) -> tuple[int, bytes]:
    """Ids are ordered by length, then bytes: decimal numbers without leading zeros so stand in numeric order."""
    data = contribution_id.encode()
    return len(data), data


@dataclass(frozen=True)
class Entry:
    """One contribution as the root names it: its id, its place in the order of registration, a hash of its folded words."""

    id: str
    order: int
    length: int
    sha256: str

    def line(self) -> str:
        return f"{self.order} {self.length} {self.sha256} {self.id}"


@dataclass(frozen=True)
class Contribution:
    """One contribution: its id, its place in the order of registration, its folded words."""

    id: str
    order: int
    words: list[str]

    def entry(self) -> Entry:
        digest = hashlib.sha256("\n".join(self.words).encode()).hexdigest()
        return Entry(self.id, self.order, len(self.words), digest)


def sort_contributions(contributions: Iterable[Contribution]) -> list[Contribution]:
    return sorted(contributions, key=lambda c: (c.order, id_key(c.id)))


def root_of(entries: Iterable[Entry]) -> str:
    """sha256 over the header and one line per contribution in order, each ended by a line feed."""
    lines = (HEADER, *(entry.line() for entry in entries))
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


@dataclass(frozen=True)
class EvidenceIndex:
    """Contributions stand in the text in the order of registration, so an earlier position is an earlier contribution."""

    root: str
    entries: tuple[Entry, ...]
    orders: npt.NDArray[np.int64]  # of the entries, ascending
    starts: Places  # where each entry's words begin in `text.ids`; a 0 stands before each
    vocabulary: dict[str, int]  # word -> id >= 1
    words: tuple[str, ...]  # by id - 1
    text: SuffixIndex

    @staticmethod
    def of(entries: Iterable[Entry], vocabulary: dict[str, int], text: SuffixIndex) -> EvidenceIndex:
        listed = tuple(entries)
        lengths = np.array([0, *(entry.length for entry in listed)], np.int64)
        return EvidenceIndex(
            root=root_of(listed),
            entries=listed,
            orders=np.array([entry.order for entry in listed], np.int64),
            starts=np.cumsum(lengths)[:-1] + np.arange(1, len(listed) + 1),
            vocabulary=vocabulary,
            words=tuple(vocabulary),
            text=text,
        )

    def ids_of(self, words: list[str]) -> Places:
        """Ids of words of an output; -1 for a word that no contribution has."""
        return np.array([self.vocabulary.get(word, -1) for word in words], np.int64)

    def contributions_at(self, places: npt.NDArray[np.integer]) -> Places:
        """For each position the contribution whose words hold it, as a place in `entries`."""
        return np.searchsorted(self.starts, places, side="right") - 1

    def registered_at(self, order: int) -> tuple[int, int]:
        """The contributions [first, last) of this order."""
        return (
            int(np.searchsorted(self.orders, order, side="left")),
            int(np.searchsorted(self.orders, order, side="right")),
        )

    def end_of(self, contribution: int) -> int:
        return int(self.starts[contribution]) + self.entries[contribution].length

    def first_place_of(self, order: int) -> int:
        """Where the words of contributions registered at `order` or later begin."""
        first, _ = self.registered_at(order)
        return int(self.starts[first]) if first < len(self.starts) else len(self.text.ids)

    def occurrences(self, word: str, before: int) -> int:
        """How often a word stands before a place of the text."""
        return int(np.count_nonzero(self.text.places_of(self.vocabulary.get(word, -1)) < before))


def build_index(contributions: Iterable[Contribution]) -> EvidenceIndex:
    ordered = sort_contributions(contributions)
    vocabulary = {word: i + 1 for i, word in enumerate(sorted({word for c in ordered for word in c.words}))}
    # The 0 between contributions is no word of any output, so no span runs from one file into the next.
    pieces: list[Ids] = [np.zeros(0, np.int32)]
    for contribution in ordered:
        pieces.append(np.array([0, *map(vocabulary.__getitem__, contribution.words)], np.int32))
    text = SuffixIndex.of(narrowest(np.concatenate(pieces)))
    return EvidenceIndex.of((c.entry() for c in ordered), vocabulary, text)
