"""What training and its estimate have in common: from a request to rows, blocks, settled parameters and warnings."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import bad_params
from ..evaluation.losses import to_rows
from ..influence.prior import WHOLE_BPS
from ..methods import Job
from ..models.folders import resolve_folder
from ..models.load import context_length, load_tokenizer, read_config
from ..models.weights_files import count_parameters, weights_sha256
from ..settings import build, setting
from .adapter import check_modules, inherit
from .blocks import Blocks, pack
from .config import TrainConfig, default_rate
from .data_warnings import data_warnings
from .dataset_root import dataset_root
from .rows import Row, TrainFile, in_order, read_rows

VALIDATION_ROWS = 64


@dataclass(frozen=True)
class DataParams:
    """What training and estimating are asked with alike."""

    base: str = setting("folder, hub id, or hash of a loaded base")
    files: tuple[TrainFile, ...] = setting("accepted contributions of the datanet version")
    params: dict[str, Any] | None = setting("what a person can set: see TrainConfig", default=None)
    parent_adapter: str | None = setting("PEFT folder to refine", default=None)
    heldout_share_bps: int = setting("share of rows kept for the evaluation", default=1000, low=0, high=6000)


@dataclass(frozen=True)
class Plan:
    config: TrainConfig  # nothing in it is left to a default that depends on the model
    folder: Path
    base: str
    parent: Path | None
    tokenizer: Any
    context: int
    parameters: int
    rows: list[Row]
    blocks: Blocks
    validation: list[list[int]]
    dataset_root: str
    warnings: list[dict[str, str]]

    @property
    def held_out(self) -> list[str]:
        return [row.text for row in self.rows if row.held_out]

    @property
    def measures_influence(self) -> bool:
        """It is asked for, and there is text to measure it on."""
        return self.config.influence_lambda_bps < WHOLE_BPS and any(row.held_out for row in self.rows)


def prepare(params: DataParams, job: Job) -> Plan:
    """Raises bad_params, bad_file, no_data, unknown_model or unknown_adapter. Writes nothing."""
    given = params.params or {}
    config = build(TrainConfig, given, "params.")
    check_modules(config.target_modules)
    # Early stopping chooses by rows of its own: choosing by the evaluation's would flatter the result.
    validation_bps = params.heldout_share_bps // 2 if config.patience else 0
    rows = read_rows(in_order(params.files), params.heldout_share_bps, validation_bps)
    job.check()
    folder = resolve_folder(params.base)
    base = weights_sha256(folder, "model")
    parent = Path(params.parent_adapter) if params.parent_adapter else None
    if parent is not None:
        config = inherit(config, given, parent, base)
    tokenizer, model_config = load_tokenizer(folder), read_config(folder)
    longest, parameters = context_length(model_config), count_parameters(folder, "model")
    if config.max_length > longest:
        raise bad_params("params.max_length", f"{config.max_length} is over the context length", f"8..{longest}")
    if config.learning_rate is None:
        config = dataclasses.replace(config, learning_rate=default_rate(parameters))
    blocks = pack(rows, tokenizer, config)
    looked_at = "validation" if config.patience else "held_out"
    looks = to_rows(tokenizer, [row.text for row in rows if row.part == looked_at], longest)[:VALIDATION_ROWS]
    warnings = data_warnings(rows, blocks, config, tokenizer, parameters, looks, model_config)
    return Plan(
        config, folder, base, parent, tokenizer, longest, parameters, rows, blocks, looks, dataset_root(rows), warnings
    )
