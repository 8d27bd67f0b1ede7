"""`estimate`: what a run would do, take and need, before anything is paid for. A few real steps are timed for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..evaluation.choices import general_tasks
from ..methods import Job, register
from ..runtime import device
from .calibrate import calibrate
from .memory import memory_bytes, trainable_parameters
from .prepare import DataParams, Plan, prepare
from .replay import replay_blocks
from .schedule import planned_steps

# The measured steps are few, and a machine is not always as busy: what a run may take, from its estimate.
LOW, HIGH = 0.6, 2.0
# A forward pass takes about a third of a training step's time.
FORWARD_SHARE = 1 / 3
# Influence goes three times over the data, a block at a time and with factors in fp64: measured, in training passes over the blocks.
INFLUENCE_PASSES = 10
TASK_TOKENS = 80  # of the four choices of one item of the general tasks
GENERAL_TOKENS = 25_000  # a general evaluation file as the shipped one, seen twice: as loss and as choices


@dataclass(frozen=True)
class EstimateParams(DataParams):
    """As `train` is asked, without a place for the result."""


def estimate(params: EstimateParams, job: Job) -> dict[str, Any]:
    plan = prepare(params, job)
    config = plan.config
    replayed = replay_blocks(config, len(plan.blocks.ids))
    blocks = len(plan.blocks.ids) + replayed
    steps = planned_steps(config, blocks)
    passes = steps * config.batch_size * config.gradient_accumulation / blocks  # over the data
    passes = min(passes, config.epochs)
    by_owner = plan.blocks.learnt_by_owner(plan.blocks.everyone())
    measured = calibrate(plan, job)
    job.check()
    train_tokens = round(int(by_owner.sum()) * passes)
    seconds = measured.load_seconds + _seconds(plan, measured.tokens_per_second, train_tokens, replayed)
    return {
        "rows": len(plan.rows),
        "held_out_rows": len(plan.held_out),
        "tokens": int(by_owner.sum()),
        "tokens_by_contribution": dict(zip(plan.blocks.contributions, map(int, by_owner[:-1]), strict=True)),
        "dataset_root": plan.dataset_root,
        "blocks": blocks,
        "steps": steps,
        "train_tokens": train_tokens,
        "trainable_parameters": trainable_parameters(plan),
        "tokens_per_second": measured.tokens_per_second,
        "seconds": seconds,
        "seconds_low": seconds * LOW,
        "seconds_high": seconds * HIGH,
        "memory_bytes": memory_bytes(plan),
        "device": device(),
        "warnings": plan.warnings,
    }


def _seconds(plan: Plan, speed: float, train_tokens: int, replayed: int) -> float:
    """Steps by the room of their blocks, padding included; replay is written token by token, about a step's time each
    sixteen blocks; each evaluated token passes twice, with the adapter and without."""
    config = plan.config
    room = config.max_length * (len(plan.blocks.ids) + replayed)
    learnt = max(1, int(plan.blocks.learnt.sum()))
    trained = train_tokens / learnt * room
    held_out = sum(map(len, plan.tokenizer(plan.held_out)["input_ids"])) if plan.held_out else 0
    looked_at = sum(map(len, plan.validation)) * 11
    evaluated = (2 * 2 * (held_out + GENERAL_TOKENS) + 2 * TASK_TOKENS * len(general_tasks()) + looked_at) * FORWARD_SHARE
    written = replayed * config.max_length
    looked_into = INFLUENCE_PASSES * config.max_length * len(plan.blocks.ids) if plan.measures_influence else 0
    return (trained + evaluated + written + looked_into) / speed


register("estimate", EstimateParams, "train", estimate)
