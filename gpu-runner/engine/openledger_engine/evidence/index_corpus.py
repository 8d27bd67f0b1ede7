"""`index_corpus`: the evidence index of one datanet version, reused when its root exists."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import bad_params
from ..files.extract import read_text
from ..methods import Job, register
from ..retrieval.passages import Passages
from ..settings import setting
from .index import Contribution, build_index, root_of, sort_contributions
from .index_files import DamagedIndex, load_index, save_index
from .suffixes import MAX_WORDS
from .words import folded_words

MAX_ORDER = (1 << 53) - 1


@dataclass(frozen=True)
class CorpusFile:
    contribution_id: str = setting("id on chain, a decimal number as text")
    path: str = setting("where the file lies")
    format: str = setting("md, txt, pdf or docx")
    order: int | None = setting("when it was registered; equal means at once", default=None, low=0, high=MAX_ORDER)


@dataclass(frozen=True)
class IndexParams:
    index: str = setting("folder of the index; made when missing")
    files: tuple[CorpusFile, ...] = setting("all contributions of the version, first registered first")
    base: str | None = setting("not needed by evidence-0, whose words are no model's tokens", default=None)


def index_corpus(params: IndexParams, job: Job) -> dict[str, Any]:
    contributions: dict[str, Contribution] = {}
    texts: dict[str, str] = {}
    for place, file in enumerate(params.files):
        job.check()
        if file.contribution_id in contributions or "\n" in file.contribution_id:
            raise bad_params("files", f"contribution {file.contribution_id!r} is listed twice or has no usable id")
        texts[file.contribution_id] = read_text(Path(file.path), file.format)
        words = folded_words(texts[file.contribution_id])
        order = place if file.order is None else file.order
        contributions[file.contribution_id] = Contribution(file.contribution_id, order, words)
    tokens = sum(len(c.words) for c in contributions.values())
    if tokens + len(contributions) > MAX_WORDS:
        raise bad_params("files", f"hold {tokens} words, more than one index can", f"..{MAX_WORDS}")
    root = root_of(c.entry() for c in sort_contributions(contributions.values()))
    folder = Path(params.index)
    if not _holds(folder, root):
        index = build_index(contributions.values())
        job.check()
        passages = Passages.of(texts[entry.id] for entry in index.entries)
        job.check()
        save_index(index, folder, passages.arrays())
    return {"root": root, "tokens": tokens, "contributions": len(contributions)}


def _holds(folder: Path, root: str) -> bool:
    """Whether the folder holds this root's index undamaged; anything else in it is built anew."""
    try:
        return load_index(folder).root == root
    except DamagedIndex:
        return False


register("index_corpus", IndexParams, "short", index_corpus)
