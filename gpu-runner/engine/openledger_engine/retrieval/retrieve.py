"""`retrieve`: the passages that a prompt is answered from, whom they are paid to, and the text that the model is given."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import EngineError
from ..evidence.index import EvidenceIndex
from ..evidence.index_files import DamagedIndex, load_arrays
from ..evidence.open_index import check_length, open_index
from ..evidence.score import CHUNK_WORDS, rows_of
from ..methods import Job, register
from ..settings import setting
from .passages import BOUNDS, STARTS, TEXTS, Passages, first_chunks
from .rank import Query, Ranked
from .render import render

MAX_PASSAGES = 16


@dataclass(frozen=True)
class RetrieveParams:
    index: str = setting("folder that index_corpus made")
    query_text: str = setting("what the model is asked")
    top_k: int = setting("passages at most", default=4, low=1, high=MAX_PASSAGES)
    max_words: int | None = setting(
        "words of all passages together; the ranking ends before the first that doesn't fit",
        default=None, low=1, high=MAX_PASSAGES * CHUNK_WORDS,
    )


@functools.lru_cache(maxsize=8)
def _load(folder: str, _root: str) -> Passages:
    texts, starts, bounds = load_arrays(Path(folder), (TEXTS, STARTS, BOUNDS))
    return Passages(texts, starts, bounds)


def _passages(folder: str, root: str) -> Passages:
    try:
        return _load(folder, root)
    except DamagedIndex as error:
        raise EngineError("no_data", f"{folder} holds no usable texts ({error}); index_corpus makes them anew") from error


def select(index: EvidenceIndex, query: str, top_k: int, max_words: int | None) -> list[Ranked]:
    """retrieval-0: the passages in their rank."""
    chosen: list[Ranked] = []
    left = max_words
    firsts = first_chunks(index)
    for ranked in Query(index, query).best(top_k):
        done = (ranked.chunk - int(firsts[ranked.contribution])) * CHUNK_WORDS
        words = min(CHUNK_WORDS, index.entries[ranked.contribution].length - done)
        if left is not None and (left := left - words) < 0:
            break
        chosen.append(ranked)
    return chosen


def retrieve(params: RetrieveParams, _: Job) -> dict[str, Any]:
    check_length("query_text", params.query_text)
    index = open_index(params.index)
    texts = _passages(params.index, index.root)
    firsts = first_chunks(index)
    scores: Counter[str] = Counter()
    passages: list[dict[str, Any]] = []
    for ranked in select(index, params.query_text, params.top_k, params.max_words):
        contribution_id = index.entries[ranked.contribution].id
        start, end, text = texts.text(ranked.contribution, ranked.chunk)
        chunk = ranked.chunk - int(firsts[ranked.contribution])
        scores[contribution_id] += ranked.score
        passages.append({
            "contribution_id": contribution_id, "chunk": chunk, "start": start, "end": end, "text": text,
            "score": ranked.score,
        })
    return {
        "method": "retrieval-0",
        "root": index.root,
        "passages": passages,
        "rows": [{"contribution_id": i, "weight": weight} for i, weight in rows_of(scores)],
        "context": render([passage["text"] for passage in passages]),
    }


register("retrieve", RetrieveParams, "short", retrieve)
