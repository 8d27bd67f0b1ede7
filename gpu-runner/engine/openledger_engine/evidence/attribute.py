"""`attribute`: which contributions an output rests on, by evidence-0, weighted by an influence prior when asked to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import bad_params
from ..influence.prior import HIGHEST, WHOLE_BPS, prior_root, weighted
from ..methods import Job, register
from ..settings import setting
from .open_index import check_length, open_index
from .score import attribute_output


@dataclass(frozen=True)
class PriorRow:
    contribution_id: str = setting("id on chain")
    weight: int = setting("influence on held-out text", low=0, high=HIGHEST)


@dataclass(frozen=True)
class AttributeParams:
    index: str = setting("folder that index_corpus made")
    prompt_text: str = setting("what the model was asked; spans repeated from it earn nothing")
    output_text: str = setting("what the model answered")
    lambda_bps: int = setting(
        "Share of the evidence that the adapter's influence prior can't touch; 10000 leaves the prior out.",
        default=WHOLE_BPS, low=0, high=WHOLE_BPS,
    )
    prior: tuple[PriorRow, ...] = setting("what `influence` gave for the adapter; read when lambda_bps is lower", default=())


def attribute(params: AttributeParams, _: Job) -> dict[str, Any]:
    check_length("prompt_text", params.prompt_text)
    check_length("output_text", params.output_text)
    index = open_index(params.index)
    rows, spans = attribute_output(index, params.prompt_text, params.output_text)
    named: dict[str, Any] = {"method": "evidence-0", "root": index.root}
    if params.lambda_bps < WHOLE_BPS:
        prior = {row.contribution_id: row.weight for row in params.prior}
        if len(prior) != len(params.prior):
            raise bad_params("prior", "names a contribution twice")
        rows = weighted(rows, prior, params.lambda_bps)
        named |= {"method": "influence-0", "prior_root": prior_root(prior.items())}
    return named | {
        "rows": [{"contribution_id": i, "weight": weight} for i, weight in rows],
        "spans": [
            {"contribution_id": s.contribution_id, "output_start": s.start, "output_end": s.end, "score": s.score}
            for s in spans
        ],
    }


register("attribute", AttributeParams, "short", attribute)
