"""How fast this machine trains this model: a few timed steps of the real loop, remembered for the process."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import EngineError
from ..methods import Job
from .adapter import attach
from .base_model import load_base_model
from .blocks import Blocks
from .checkpoint import Checkpoint
from .loop import Loop
from .prepare import Plan
from .processes import Alone

STEPS = 4  # the first of which is not counted
MAX_KEPT = 64


@dataclass(frozen=True)
class Measured:
    """Speed over all positions of a block, padding included, and the time to load the base."""

    tokens_per_second: float
    load_seconds: float


_MEASURED: dict[str, Measured] = {}


def _shape(plan: Plan) -> str:
    """Everything that a step's time depends on."""
    config = plan.config
    return "/".join(
        map(str, (plan.base, config.method, config.rank, config.target_modules, config.batch_size, config.max_length,
                  config.precision, config.gradient_checkpointing, config.dropout > 0))
    )


def calibrate(plan: Plan, job: Job) -> Measured:
    if (key := _shape(plan)) not in _MEASURED:
        if len(_MEASURED) >= MAX_KEPT:
            _MEASURED.clear()
        _MEASURED[key] = _measure(plan, job)
    return _MEASURED[key]


def _measure(plan: Plan, job: Job) -> Measured:
    began = time.monotonic()
    model = load_base_model(plan)
    loaded = time.monotonic()
    config = dataclasses.replace(
        plan.config, gradient_accumulation=1, epochs=1, max_steps=STEPS, warmup_ratio=0.0, checkpoint_steps=0, patience=0,
        learning_rate=1e-6,
    )
    times: list[float] = []
    timed = Job(lambda event, _: times.append(time.monotonic()) if event == "progress" else None)
    timed.cancelled = job.cancelled
    with tempfile.TemporaryDirectory(prefix="openledger-estimate-") as folder:
        # Full blocks, as many as the steps take: the data's own, over and over.
        wanted = config.batch_size * STEPS
        again = np.resize(np.arange(len(plan.blocks.ids)), wanted)
        source = plan.blocks
        learnt = np.ones_like(source.learnt[again])
        learnt[:, 0] = False
        blocks = Blocks(source.ids[again], source.owners[again], learnt, source.contributions)
        checkpoint = Checkpoint(Path(folder) / "checkpoint", "")
        Loop(attach(model, config, plan.parent), blocks, [], config, checkpoint, Alone(), timed).run()
    if len(times) < 2:
        raise EngineError("internal", "no step could be timed")
    speed = (len(times) - 1) * config.batch_size * config.max_length / max(times[-1] - times[0], 1e-9)
    return Measured(speed, loaded - began)
