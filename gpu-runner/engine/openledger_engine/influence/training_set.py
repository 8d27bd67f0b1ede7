"""The rows that an adapter was trained on, and whose token each of theirs is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..methods import Job
from ..models.weights_files import sha256_file
from ..training.blocks import pack
from ..training.rows import TrainFile, read_rows
from .gradients import IGNORED, Example, Gradient, Ids, added, gradients_of


@dataclass(frozen=True)
class TrainingSet:
    """Examples, and for each of them the owner of each token: a place in `contributions`, or -1."""

    examples: list[Example]
    owners: list[Ids]
    contributions: tuple[str, ...]
    held_out: list[str]  # texts that were kept for the evaluation


def training_set(files: Iterable[TrainFile], heldout_share_bps: int, max_length: int, tokenizer: Any) -> TrainingSet:
    """As `train` makes it: the same files in the same order, the same rows held out, the same blocks."""
    ordered = sorted(files, key=lambda f: (f.contribution_id, sha256_file(Path(f.path))))
    rows = read_rows(ordered, heldout_share_bps)
    blocks = pack(rows, tokenizer, max_length)
    labels = np.where(blocks.owners >= 0, blocks.ids, IGNORED)
    labels[:, 0] = IGNORED
    examples = [Example(ids, label) for ids, label in zip(blocks.ids, labels, strict=True)]
    return TrainingSet(examples, list(blocks.owners), blocks.contributions, [r.text for r in rows if r.held_out])


def contribution_gradients(model: Any, data: TrainingSet, job: Job) -> Iterator[tuple[int, Gradient]]:
    """(contribution, gradient of the summed loss of its tokens in one example): several for each contribution."""
    for example, owners in zip(data.examples, data.owners, strict=True):
        job.check()
        yield from gradients_of(model, example, owners)


def summed(count: int, gradients: Iterable[tuple[int, Gradient]]) -> list[Gradient | None]:
    """One gradient for each of `count` contributions; None for one of which nothing was learnt."""
    totals: list[Gradient | None] = [None] * count
    for number, gradient in gradients:
        known = totals[number]
        totals[number] = gradient if known is None else added(known, gradient)
    return totals
