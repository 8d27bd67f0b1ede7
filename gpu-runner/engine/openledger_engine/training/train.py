"""`train`: one LoRA run, from files to an adapter, its record and its evaluation."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import ENGINE
from ..errors import bad_params
from ..methods import Job, register
from ..models.folders import resolve_folder
from ..models.load import context_length, load_model, load_tokenizer
from ..models.weights_files import canonical_json, sha256_file, weights_sha256
from ..runtime import device, threads
from ..settings import build, setting
from .adapter import attach, inherit, save
from .blocks import pack
from .config import TrainConfig, default_rate
from .evaluate import compare
from .loop import planned_steps, train_loop
from .losses import to_rows
from .rows import TrainFile, data_root, list_files, read_rows
from .rows_file import read_rows_file

DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}


@dataclass(frozen=True)
class TrainParams:
    base: str = setting("folder, hub id, or hash of a loaded base")
    files: tuple[TrainFile, ...] = setting("accepted contributions of the datanet version")
    output: str = setting("folder for the adapter")
    params: dict[str, Any] | None = setting("what a person can set: see TrainConfig", default=None)
    parent_adapter: str | None = setting("PEFT folder to refine", default=None)
    heldout_share_bps: int = setting("share of rows kept for the evaluation", default=1000, low=0, high=9000)
    general_path: str | None = setting("general evaluation rows, JSON Lines", default=None)


def make_record(params: TrainParams, config: TrainConfig, base: str) -> dict[str, Any]:
    """Everything that the weights depend on, and nothing that varies without them: no path, no time."""
    from ..hello import versions

    parent = weights_sha256(Path(params.parent_adapter), "adapter_model") if params.parent_adapter else None
    general = sha256_file(Path(params.general_path)) if params.general_path else None
    return {
        "base": base,
        "parent_adapter": parent,
        "data_root": data_root(params.files),
        "files": list_files(params.files),
        "heldout_share_bps": params.heldout_share_bps,
        "general": general,
        "params": dataclasses.asdict(config),
        "seed": config.seed,
        "engine": {"name": ENGINE, "versions": versions(), "device": device(), "threads": threads()},
    }


def train(params: TrainParams, job: Job) -> dict[str, Any]:
    began = time.monotonic()
    given = params.params or {}
    config = build(TrainConfig, given, "params.")
    general = read_rows_file(Path(params.general_path), "general_path") if params.general_path else []
    # Sorted, so that the order in which a request lists the files can't change the weights.
    files = sorted(params.files, key=lambda f: (f.contribution_id, sha256_file(Path(f.path))))
    rows = read_rows(files, params.heldout_share_bps)

    folder = resolve_folder(params.base)
    base = weights_sha256(folder, "model")
    parent = Path(params.parent_adapter) if params.parent_adapter else None
    if parent is not None:
        config = inherit(config, given, parent, base)
    model, tokenizer = load_model(folder, DTYPES[config.precision]), load_tokenizer(folder)
    longest = context_length(model)
    if config.max_length > longest:
        raise bad_params("params.max_length", f"{config.max_length} is over the context length", f"8..{longest}")
    if config.learning_rate is None:
        config = dataclasses.replace(config, learning_rate=default_rate(model.num_parameters()))
    record = canonical_json(make_record(params, config, base))

    blocks = pack(rows, tokenizer, config.max_length)
    held_out = [row.text for row in rows if row.held_out]
    job.emit(
        "log",
        {"message": f"{len(rows)} rows, {len(held_out)} held out; {len(blocks.ids)} blocks of {config.max_length} "
                    f"tokens; {planned_steps(config, len(blocks.ids))} steps"},
    )
    model = attach(model, config, parent)
    trained = train_loop(model, blocks, config, config.learning_rate or 0.0, job)

    domain = compare(model, to_rows(tokenizer, held_out, longest), job)
    everywhere = compare(model, to_rows(tokenizer, general, longest), job)
    output = Path(params.output)
    save(model, base, record, output)
    return {
        "weights_sha256": weights_sha256(output, "adapter_model"),
        "config_sha256": hashlib.sha256(record).hexdigest(),
        "output": params.output,
        "steps": trained.steps,
        "train_tokens": trained.tokens,
        "final_loss": trained.curve[-1]["loss"],
        "loss_curve": trained.curve,
        "tokens_by_contribution": trained.by_contribution,
        "domain": domain,
        "general": everywhere,
        "seconds": time.monotonic() - began,
    }


register("train", TrainParams, "train", train)
