"""`attribute`: which contributions an output rests on, by evidence-0."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import EngineError, bad_params
from ..methods import Job, register
from ..settings import setting
from .index import EvidenceIndex
from .index_files import DamagedIndex, load_index, saved_root
from .score import attribute_output


@dataclass(frozen=True)
class AttributeParams:
    index: str = setting("folder that index_corpus made")
    prompt_text: str = setting("what the model was asked; spans repeated from it earn nothing")
    output_text: str = setting("what the model answered")


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


def attribute(params: AttributeParams, _: Job) -> dict[str, Any]:
    check_length("prompt_text", params.prompt_text)
    check_length("output_text", params.output_text)
    index = open_index(params.index)
    rows, spans = attribute_output(index, params.prompt_text, params.output_text)
    return {
        "method": "evidence-0",
        "root": index.root,
        "rows": [{"contribution_id": i, "weight": weight} for i, weight in rows],
        "spans": [
            {"contribution_id": s.contribution_id, "output_start": s.start, "output_end": s.end, "score": s.score}
            for s in spans
        ],
    }


register("attribute", AttributeParams, "short", attribute)
