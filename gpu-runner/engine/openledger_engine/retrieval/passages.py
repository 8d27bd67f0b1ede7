"""Where the chunks of a datanet version stand in its texts: what a cited passage is cut out by."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..evidence.index import EvidenceIndex
from ..evidence.score import CHUNK_WORDS
from ..evidence.suffixes import Places
from ..evidence.words import word_places

TEXTS, BOUNDS, STARTS = "texts.npy", "chunks.npy", "text-starts.npy"


def chunk_bounds(text: str) -> list[tuple[int, int]]:
    """Bytes [start, end) in the text's UTF-8 of each chunk: from its first word's start to its last word's end."""
    edges: list[tuple[int, int]] = []
    places = word_places(text)
    while chunk := list(itertools.islice(places, CHUNK_WORDS)):
        edges.append((chunk[0][0], chunk[-1][1]))
    bounds: list[tuple[int, int]] = []
    characters = offset = 0
    for start, end in edges:
        first = offset + len(text[characters:start].encode())
        offset, characters = first + len(text[start:end].encode()), end
        bounds.append((first, offset))
    return bounds


@dataclass(frozen=True)
class Passages:
    """UTF-8 of all texts in the order of registration, where each begins, and the chunks' bounds within their text."""

    texts: npt.NDArray[np.uint8]
    starts: Places
    bounds: Places  # [chunks, 2]

    @staticmethod
    def of(texts: Iterable[str]) -> Passages:
        pieces, bounds = [], [np.zeros((0, 2), np.int64)]
        for text in texts:
            pieces.append(text.encode())
            bounds.append(np.array(chunk_bounds(text), np.int64).reshape(-1, 2))
        starts = np.cumsum([0, *(len(piece) for piece in pieces)], dtype=np.int64)[:-1]
        return Passages(np.frombuffer(b"".join(pieces), np.uint8), starts, np.concatenate(bounds))

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        return {TEXTS: self.texts, BOUNDS: self.bounds, STARTS: self.starts}

    def text(self, contribution: int, chunk: int) -> tuple[int, int, str]:
        """(start, end, text) of a chunk, counted over all contributions; bytes of the contribution's own text."""
        start, end = (int(edge) for edge in self.bounds[chunk])
        begin = int(self.starts[contribution])
        return start, end, bytes(self.texts[begin + start : begin + end]).decode()


def first_chunks(index: EvidenceIndex) -> Places:
    """The number of the first chunk of each contribution, and the number of all chunks at the end."""
    return np.cumsum([0, *(-(-entry.length // CHUNK_WORDS) for entry in index.entries)], dtype=np.int64)
