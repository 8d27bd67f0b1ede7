"""`train`: one LoRA run, from files to an adapter, its record and its evaluation."""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..evaluation.evaluate import texts_at
from ..evaluation.suites import CHOICE_SUITES, Material, compare, forgetting
from ..methods import Job, register
from ..models.weights_files import weights_sha256
from ..settings import setting
from .adapter import adapter_config, attach, save
from .base_model import load_base_model
from .checkpoint import Checkpoint
from .config import TrainConfig
from .heap import returning_memory
from .launch import launch
from .loop import Loop, Progress
from .prepare import DataParams, Plan, prepare
from .processes import Alone, Processes, wanted_processes
from .record import make_record
from .replay import write_replay
from .schedule import planned_steps


@dataclass(frozen=True, kw_only=True)
class TrainParams(DataParams):
    output: str = setting("folder for the adapter; a checkpoint of the same run in it is gone on from")
    general_path: str | None = setting("general evaluation rows, JSON Lines", default=None)
    suites: tuple[str, ...] = setting("choice suites beside the losses", default=CHOICE_SUITES, choices=CHOICE_SUITES)


def train(params: TrainParams, job: Job) -> dict[str, Any]:
    """In this process, or in as many as there are GPUs."""
    if (processes := wanted_processes()) > 1:
        return launch(params, processes, job)
    return train_here(params, Alone(), job)


def train_here(params: TrainParams, processes: Processes, job: Job) -> dict[str, Any]:
    """This process's part of a run. The one of rank 0 evaluates, saves and answers."""
    began = time.monotonic()
    general = texts_at(params.general_path, "general_path")
    plan = prepare(params, job)
    config, output = plan.config, Path(params.output)
    for warning in plan.warnings:
        job.emit("warning", warning)

    model = load_base_model(plan)
    blocks = write_replay(model, plan.tokenizer, plan.blocks, config, job)
    job.emit("log", {"message": _summary(plan, len(blocks.ids))})
    model = attach(model, config, plan.parent)
    shape = adapter_config(model, plan.base)
    record = make_record(params, plan, Path(params.general_path) if params.general_path else None, processes.size, shape)
    checkpoint = Checkpoint(output / "checkpoint", hashlib.sha256(record).hexdigest())
    loop = Loop(model, blocks, plan.validation, config, checkpoint, processes, job)
    with returning_memory():
        progress = loop.run()
    resumed_from = loop.resumed_from
    if processes.rank > 0:
        return {}

    material = Material(plan.held_out, general, plan.context)
    evaluations = compare(model, plan.tokenizer, material, params.suites, job)
    save(model, shape, record, output)
    del model, loop
    influence = _influence(params, plan, job)
    checkpoint.remove()
    tokens = dict(zip(blocks.contributions, progress.tokens_by_owner[:-1], strict=True))
    return {
        "weights_sha256": weights_sha256(output, "adapter_model"),
        "config_sha256": hashlib.sha256(record).hexdigest(),
        "output": params.output,
        "steps": progress.steps,
        "train_tokens": sum(tokens.values()),
        "replay_tokens": progress.tokens_by_owner[-1],
        "final_loss": progress.curve[-1]["loss"],
        "loss_curve": progress.curve,
        "validation_curve": progress.validation_curve,
        "tokens_by_contribution": tokens,
        "evaluations": evaluations,
        "forgetting": forgetting(evaluations),
        "warnings": plan.warnings,
        "best_step": _best_step(config, progress),
        "stopped_early": progress.stopped_early,
        "resumed_from_step": resumed_from,
        "dataset_root": plan.dataset_root,
        "seconds": time.monotonic() - began,
    } | influence


def _influence(params: TrainParams, plan: Plan, job: Job) -> dict[str, Any]:
    """The adapter's prior and how much it weighs, where that was asked for and something is held out to measure it on."""
    from ..influence.influence import InfluenceParams, influence

    if not plan.measures_influence:
        return {}
    measured = influence(InfluenceParams(params.base, params.output, params.files), job)
    return {
        "influence": {
            "lambda_bps": plan.config.influence_lambda_bps, "root": measured["root"], "prior": measured["prior"],
        }
    }


def _best_step(config: TrainConfig, progress: Progress) -> int:
    """The step whose adapter was kept: the best by validation with early stopping, else the last."""
    return progress.best_step if config.patience and math.isfinite(progress.best_loss) else progress.steps


def _summary(plan: Plan, blocks: int) -> str:
    steps = planned_steps(plan.config, blocks)
    return (
        f"{len(plan.rows)} rows, {len(plan.held_out)} held out; {blocks} blocks of {plan.config.max_length} tokens, "
        f"{blocks - len(plan.blocks.ids)} of them the base's own; {steps} steps"
    )


register("train", TrainParams, "train", train)
