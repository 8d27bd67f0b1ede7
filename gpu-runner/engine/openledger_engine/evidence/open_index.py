"""What every query of an index begins with: the index itself, and texts of a bounded length."""

from __future__ import annotations

import functools
from pathlib import Path

from ..errors import EngineError, bad_params
from .index import EvidenceIndex
from .index_files import DamagedIndex, load_index, saved_root

MAX_TEXT_BYTES = 1 << 20


@functools.lru_cache(maxsize=8)
def _load(folder: str, root: str) -> EvidenceIndex:
    """The root in the key makes a rebuilt index a new entry."""
    return load_index(Path(folder))


def open_index(folder: str) -> EvidenceIndex:
    """The index of a folder, from memory when it was asked before. Raises no_data."""
    try:
        return _load(folder, saved_root(Path(folder)))
    except DamagedIndex as error:
        raise EngineError("no_data", f"{folder} holds no usable index ({error}); index_corpus makes it anew") from error


def check_length(name: str, text: str) -> None:
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise bad_params(name, "is longer than one request may hold", f"..{MAX_TEXT_BYTES} bytes")
