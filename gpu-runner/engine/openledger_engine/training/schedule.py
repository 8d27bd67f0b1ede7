"""What each step of a run does, as a function of its number alone: a run that goes on later needs no other memory."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .config import TrainConfig

LOOKS_A_RUN, LEAST_STEPS = 10, 10


def rate_factor(config: TrainConfig, step: int, steps: int) -> float:
    """Share of the learning rate at a step: a linear rise, then the chosen fall."""
    warmup = int(config.warmup_ratio * steps)
    if step < warmup:
        return (step + 1) / (warmup + 1)
    done = (step - warmup) / max(1, steps - warmup)
    if config.scheduler == "cosine":
        return 0.5 * (1 + math.cos(math.pi * done))
    return 1 - done if config.scheduler == "linear" else 1.0


def steps_an_epoch(config: TrainConfig, blocks: int) -> int:
    return -(-blocks // (config.batch_size * config.gradient_accumulation))


def planned_steps(config: TrainConfig, blocks: int) -> int:
    steps = config.epochs * steps_an_epoch(config, blocks)
    return min(steps, config.max_steps) if config.max_steps else steps


def picked_blocks(config: TrainConfig, blocks: int, step: int) -> tuple[int, npt.NDArray[np.int64]]:
    """(epoch, blocks of the step). Each epoch has an order of its own, drawn from the seed and its number."""
    epoch, place = divmod(step, steps_an_epoch(config, blocks))
    order = np.random.default_rng((config.seed, epoch)).permutation(blocks)
    a_step = config.batch_size * config.gradient_accumulation
    return epoch, order[place * a_step : (place + 1) * a_step]


def step_seed(config: TrainConfig, step: int, rank: int) -> int:
    """Dropout draws from this at a step of one process of the run."""
    return int(np.random.SeedSequence((config.seed, step, rank)).generate_state(1, np.uint64)[0] >> np.uint64(1))


def looks_at(config: TrainConfig, step: int, steps: int) -> bool:
    """Whether the validation loss is taken after this many steps."""
    every = config.validation_steps or max(LEAST_STEPS, steps // LOOKS_A_RUN)
    return step % every == 0 or step == steps
