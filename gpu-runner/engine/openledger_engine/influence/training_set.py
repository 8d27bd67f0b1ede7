"""The rows that an adapter was trained on, and whose token each of theirs is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..methods import Job
from ..training.prepare import Plan
from .gradients import IGNORED, Example, Gradient, Ids, gradients_of


@dataclass(frozen=True)
class TrainingSet:
    """Examples, and for each of them the owner of each token: a place in `contributions`, or -1."""

    examples: list[Example]
    owners: list[Ids]
    contributions: tuple[str, ...]
    held_out: list[str]  # texts that were kept for the evaluation


def training_set(plan: Plan) -> TrainingSet:
    """What a run of this plan learns from, but for what the base wrote itself."""
    blocks = plan.blocks
    labels = np.where(blocks.learnt, blocks.ids, IGNORED)
    examples = [Example(ids, label) for ids, label in zip(blocks.ids, labels, strict=True)]
    return TrainingSet(examples, list(blocks.owners), blocks.contributions, plan.held_out)


def contribution_gradients(model: Any, data: TrainingSet, job: Job) -> Iterator[tuple[int, Gradient]]:
    """(contribution, gradient of the summed loss of its tokens in one example): several for each contribution."""
    for example, owners in zip(data.examples, data.owners, strict=True):
        job.check()
        yield from gradients_of(model, example, owners)
