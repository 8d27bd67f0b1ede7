"""`attribute`: which contributions an output rests on, by evidence-0."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import EngineError
from ..methods import Job, register
from ..settings import setting
from .index import EvidenceIndex, load_index, saved_root
from .score import attribute_output


@dataclass(frozen=True)
class AttributeParams:
    index: str = setting("folder that index_corpus made")
    prompt_text: str = setting("what the model was asked; spans repeated from it earn nothing")
    output_text: str = setting("what the model answered")


@functools.lru_cache(maxsize=8)
def _open(folder: str, root: str) -> EvidenceIndex:
    """The root in the key makes a rebuilt index a new entry."""
    return load_index(Path(folder))


def attribute(params: AttributeParams, _: Job) -> dict[str, Any]:
    root = saved_root(Path(params.index))
    if root is None:
        raise EngineError("no_data", f"{params.index} holds no evidence index")
    rows, spans = attribute_output(_open(params.index, root), params.prompt_text, params.output_text)
    return {
        "method": "evidence-0",
        "root": root,
        "rows": [{"contribution_id": i, "weight": weight} for i, weight in rows],
        "spans": [
            {"contribution_id": s.contribution_id, "output_start": s.start, "output_end": s.end, "score": s.score}
            for s in spans
        ],
    }


register("attribute", AttributeParams, "short", attribute)
