"""The evidence index of one datanet version: words as ids, a suffix array over them, and who stands where."""

from __future__ import annotations

import hashlib
import json
import os
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .suffixes import Ids, SuffixIndex, suffix_array

MANIFEST = "index.json"
HEADER = "openledger evidence-0 index"


def id_key(contribution_id: str) -> tuple[int, bytes]:
    """Ids are ordered by length, then bytes: decimal numbers without leading zeros so stand in numeric order."""
    data = contribution_id.encode()
    return len(data), data


@dataclass(frozen=True)
class Contribution:
    """One contribution: its id, its place in the order of registration, its folded words."""

    id: str
    order: int
    words: list[str]

    def line(self) -> str:
        digest = hashlib.sha256("\n".join(self.words).encode()).hexdigest()
        return f"{self.order} {len(self.words)} {digest} {self.id}"


def sort_contributions(contributions: Iterable[Contribution]) -> list[Contribution]:
    return sorted(contributions, key=lambda c: (c.order, id_key(c.id)))


def root_of(lines: Iterable[str]) -> str:
    """sha256 over the header and one line per contribution in order, each ended by a line feed."""
    return hashlib.sha256("".join(f"{line}\n" for line in (HEADER, *lines)).encode()).hexdigest()


@dataclass(frozen=True)
class EvidenceIndex:
    root: str
    ids: tuple[str, ...]  # contribution ids, in order of registration
    orders: tuple[int, ...]
    starts: tuple[int, ...]  # where each contribution's words begin in `suffixes.ids`; a 0 stands before each
    lengths: tuple[int, ...]
    vocabulary: dict[str, int]  # word -> id >= 1
    suffixes: SuffixIndex

    def contribution_at(self, position: int) -> int:
        """Index of the contribution whose words hold this position."""
        return bisect_right(self.starts, position) - 1

    def contributions_in(self, interval: tuple[int, int]) -> list[int]:
        """Distinct contributions among the suffixes of an interval, in order."""
        positions = self.suffixes.suffixes[interval[0] : interval[1]]
        return np.unique(np.searchsorted(np.array(self.starts), positions, side="right") - 1).tolist()

    def words_of(self, contribution: int) -> Ids:
        start = self.starts[contribution]
        return self.suffixes.ids[start : start + self.lengths[contribution]]


def build_index(contributions: Iterable[Contribution]) -> EvidenceIndex:
    ordered = sort_contributions(contributions)
    words = sorted({word for c in ordered for word in c.words})
    vocabulary = {word: i + 1 for i, word in enumerate(words)}
    # The 0 between contributions is no word of any output, so no span runs from one file into the next.
    ids: list[int] = []
    starts: list[int] = []
    for contribution in ordered:
        ids.append(0)
        starts.append(len(ids))
        ids.extend(vocabulary[word] for word in contribution.words)
    row = np.array(ids, np.int32)
    return EvidenceIndex(
        root=root_of(c.line() for c in ordered),
        ids=tuple(c.id for c in ordered),
        orders=tuple(c.order for c in ordered),
        starts=tuple(starts),
        lengths=tuple(len(c.words) for c in ordered),
        vocabulary=vocabulary,
        suffixes=SuffixIndex(row, suffix_array(row)),
    )


def saved_root(folder: Path) -> str | None:
    try:
        return str(json.loads((folder / MANIFEST).read_text("utf-8"))["root"])
    except (OSError, ValueError, KeyError):
        return None


def save_index(index: EvidenceIndex, folder: Path) -> None:
    """The manifest comes last and by rename: a folder with a manifest is complete.

    Files are unlinked, not overwritten: an older index may still be mapped by a query that runs now.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in (MANIFEST, "words.npy", "suffixes.npy", "vocabulary.txt"):
        (folder / name).unlink(missing_ok=True)
    np.save(folder / "words.npy", index.suffixes.ids, allow_pickle=False)
    np.save(folder / "suffixes.npy", index.suffixes.suffixes, allow_pickle=False)
    (folder / "vocabulary.txt").write_text("\n".join(index.vocabulary), "utf-8")
    manifest = {
        "root": index.root,
        "contributions": [
            {"id": i, "order": o, "start": s, "length": n}
            for i, o, s, n in zip(index.ids, index.orders, index.starts, index.lengths, strict=True)
        ],
    }
    fresh = folder / (MANIFEST + ".new")
    fresh.write_text(json.dumps(manifest), "utf-8")
    os.replace(fresh, folder / MANIFEST)


def load_index(folder: Path) -> EvidenceIndex:
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    rows = manifest["contributions"]
    ids = np.load(folder / "words.npy", mmap_mode="r", allow_pickle=False)
    suffixes = np.load(folder / "suffixes.npy", mmap_mode="r", allow_pickle=False)
    words = (folder / "vocabulary.txt").read_text("utf-8").split("\n")
    return EvidenceIndex(
        root=manifest["root"],
        ids=tuple(row["id"] for row in rows),
        orders=tuple(row["order"] for row in rows),
        starts=tuple(row["start"] for row in rows),
        lengths=tuple(row["length"] for row in rows),
        vocabulary={word: i + 1 for i, word in enumerate(words) if word},
        suffixes=SuffixIndex(ids, suffixes),
    )
