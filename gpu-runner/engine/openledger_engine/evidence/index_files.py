"""An evidence index on disk: arrays that are mapped into memory, and a manifest that tells whether all is whole."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .index import Entry, EvidenceIndex
from .suffixes import SuffixIndex

MANIFEST = "index.json"
FORMAT = "openledger evidence index 2"

Array = npt.NDArray[Any]
WORDS, SUFFIXES, VOCABULARY = "words.npy", "suffixes.npy", "vocabulary.txt"


class DamagedIndex(Exception):
    """The folder holds no index, one of another format, or one whose bytes have changed."""


def _seal(path: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        if manifest["format"] != FORMAT:
            raise DamagedIndex(f"the index is of format {manifest['format']!r}")
        return dict(manifest)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedIndex(f"{MANIFEST} can't be read") from error


def saved_root(folder: Path) -> str:
    """The root that the manifest names. Raises DamagedIndex; says nothing about the other files."""
    return str(_manifest(folder).get("root"))


def save_index(index: EvidenceIndex, folder: Path, arrays: Mapping[str, Array] | None = None) -> None:
    """The manifest comes last and by rename: a folder with a manifest is complete. `arrays` are kept beside the index.

    Files are unlinked, not overwritten: an older index may still be mapped by a query that runs now.
    """
    folder.mkdir(parents=True, exist_ok=True)
    saved = {WORDS: index.text.ids, SUFFIXES: index.text.suffixes, **(arrays or {})}
    for name in (MANIFEST, VOCABULARY, *saved):
        (folder / name).unlink(missing_ok=True)
    for name, array in saved.items():
        np.save(folder / name, array, allow_pickle=False)
    (folder / VOCABULARY).write_bytes("\n".join(index.vocabulary).encode())
    manifest = {
        "format": FORMAT,
        "root": index.root,
        "files": {name: _seal(folder / name) for name in (VOCABULARY, *saved)},
        "contributions": [[e.id, e.order, e.length, e.sha256] for e in index.entries],
    }
    fresh = folder / (MANIFEST + ".new")
    fresh.write_text(json.dumps(manifest), "utf-8")
    os.replace(fresh, folder / MANIFEST)


def load_arrays(folder: Path, names: Sequence[str]) -> list[Array]:
    """Arrays of an index whose files load_index has checked, mapped into memory. Raises DamagedIndex."""
    try:
        return [np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in names]
    except (OSError, ValueError) as error:
        raise DamagedIndex(str(error)) from error


def load_index(folder: Path) -> EvidenceIndex:
    """Size and hash of every file, and the root over the contributions, are checked. Raises DamagedIndex."""
    manifest = _manifest(folder)
    try:
        for name, seal in manifest["files"].items():
            if _seal(folder / name) != seal:
                raise DamagedIndex(f"{name} is not what was written")
        ids, suffixes = load_arrays(folder, (WORDS, SUFFIXES))
        words = (folder / VOCABULARY).read_bytes().decode().split("\n")
        vocabulary = {word: i + 1 for i, word in enumerate(words) if word}
        entries = [Entry(*row) for row in manifest["contributions"]]
        index = EvidenceIndex.of(entries, vocabulary, SuffixIndex.of(ids, suffixes))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedIndex(f"{folder.name} can't be read: {error}") from error
    if index.root != manifest["root"]:
        raise DamagedIndex("the manifest's contributions are not those of its root")
    return index
