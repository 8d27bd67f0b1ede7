"""`influence`: the prior of one adapter, from the gradients of its own training rows and of held-out text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import EngineError, bad_params
from ..evaluation.losses import to_rows
from ..evaluation.rows_file import read_rows_file
from ..methods import Job, register
from ..models.adapters import adapter_rank
from ..models.folders import resolve_folder
from ..models.load import load_model
from ..models.making import MAKING, peft_module
from ..models.weights_files import weights_sha256
from ..settings import setting
from ..training.prepare import DataParams, prepare
from ..training.rows import TrainFile, data_root
from .ekfac import measure, solve
from .gradients import IGNORED, Example, Gradient, added, dot, gradient_of
from .prior import prior_root, quantise
from .training_set import contribution_gradients, training_set


@dataclass(frozen=True)
class InfluenceParams:
    base: str = setting("folder, hub id, or hash of a loaded base")
    adapter: str = setting("folder of the adapter, with its record")
    files: tuple[TrainFile, ...] = setting("the contributions that it was trained on")
    rows_path: str | None = setting("held-out text, JSON Lines; default: the rows that training held out", default=None)
    seed: int = setting("start of the labels that the model draws for its Fisher matrix", default=0, low=0, high=(1 << 32) - 1)


def _record(folder: Path, base: str, files: tuple[TrainFile, ...]) -> dict[str, Any]:
    """The adapter's record, once it is known to be of this base and these files."""
    try:
        record = dict(json.loads((folder / "record.json").read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise EngineError("unknown_adapter", f"{folder.name} has no record.json; train makes one") from error
    if record.get("base") != base:
        raise bad_params("base", f"the adapter was trained on {record.get('base')}")
    if record.get("data_root") != data_root(files):
        raise bad_params("files", "are not the ones that the adapter was trained on")
    return record


def _validation_gradient(model: Any, rows: list[list[int]], job: Job) -> Gradient:
    total: Gradient | None = None
    for row in rows:
        job.check()
        ids = np.array(row)
        gradient = gradient_of(model, Example(ids, np.where(np.arange(len(ids)) > 0, ids, IGNORED)))
        total = gradient if total is None else added(total, gradient)
    if total is None:
        raise EngineError("no_data", "there is no held-out text to measure influence on; name some in rows_path")
    return total


def influence(params: InfluenceParams, job: Job) -> dict[str, Any]:
    folder, adapter = resolve_folder(params.base), Path(params.adapter)
    base, rank = weights_sha256(folder, "model"), adapter_rank(adapter)
    weights = weights_sha256(adapter, "adapter_model")
    record = _record(adapter, base, params.files)
    settings = {name: value for name, value in record["params"].items() if value is not None}
    plan = prepare(DataParams(params.base, params.files, settings, None, record["heldout_share_bps"]), job)
    model = load_model(folder, "float32")
    with MAKING:
        model = peft_module().PeftModel.from_pretrained(model, str(adapter), is_trainable=True).eval()
    data = training_set(plan)
    texts = read_rows_file(Path(params.rows_path), "rows_path") if params.rows_path else data.held_out
    rows = to_rows(plan.tokenizer, texts, plan.context)

    wanted = solve(measure(model, data.examples, params.seed, job), _validation_gradient(model, rows, job))
    scores = [0.0] * len(data.contributions)
    for number, gradient in contribution_gradients(model, data, job):
        scores[number] += dot(wanted, gradient)
    prior = list(zip(data.contributions, quantise(scores), strict=True))
    return {
        "method": "influence-0",
        "adapter": weights,
        "rank": rank,
        "rows": len(rows),
        "root": prior_root(prior),
        "prior": [{"contribution_id": i, "weight": weight} for i, weight in prior],
    }


register("influence", InfluenceParams, "train", influence)
