"""Trains the small base on subsets of the contributors, and measures the loss of every query after each."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from world import Contributor, Query

ENGINE = Path(__file__).resolve().parents[3] / "gpu-runner"
BASE = ENGINE / "models" / "openledger-small"
# Hot enough that a contributor of a few hundred tokens leaves its mark in three epochs.
PARAMS: dict[str, Any] = {"epochs": 3, "batch_size": 4, "learning_rate": 5e-3, "max_length": 256, "replay_share": 0.0}


# Steps between two of the checkpoints that TracIn looks at: about five in a full run.
CHECKPOINT_STEPS = 8


@dataclass(frozen=True)
class Task:
    """One retraining: which contributors' files, with which seed; `keep` is a folder for the adapter, or none.

    With `checkpoints` the folder keeps those of the run, too.
    """

    contributors: tuple[str, ...]
    seed: int
    keep: str | None = None
    checkpoints: bool = False


@dataclass(frozen=True)
class KeptCheckpoint:
    """The adapter's weights on the way, and the learning rate of the step that was taken from there."""

    path: Path
    learning_rate: float


def kept_checkpoints(adapter: str) -> list[KeptCheckpoint]:
    """In the order of their steps."""
    named = [(*path.stem.split("_"), path) for path in (Path(adapter) / "on-the-way").iterdir()]
    return [KeptCheckpoint(path, float(rate)) for _, rate, path in sorted(named, key=lambda one: int(one[0]))]


def keeper(output: Path) -> Any:
    """Hears of each step, and copies the checkpoint that stands before the next one."""
    kept = output / "on-the-way"
    kept.mkdir(parents=True)

    def hear(event: str, data: dict[str, Any]) -> None:
        if event != "progress":
            return
        before = data["step"] - 1
        if before and before % CHECKPOINT_STEPS == 0:
            shutil.copy(output / "checkpoint" / "state.safetensors", kept / f"{before}_{data['learning_rate']}.safetensors")

    return hear


def write_files(folder: Path, contributors: Iterable[Contributor]) -> None:
    for contributor in contributors:
        (folder / f"{contributor.id}.txt").write_text(contributor.text, "utf-8")


def load(adapter: str | None, trainable: bool = False) -> tuple[Any, Any]:
    """(model, tokenizer) of the small base with an adapter."""
    from openledger_engine.models.load import load_model, load_tokenizer
    from peft import PeftModel

    model = load_model(BASE, "float32")
    if adapter:
        model = PeftModel.from_pretrained(model, adapter, is_trainable=trainable, low_cpu_mem_usage=not trainable)
    return model.eval(), load_tokenizer(BASE)


def take_weights(model: Any, checkpoint: Path) -> None:
    """Puts a checkpoint's weights into the model of the same adapter."""
    from safetensors.torch import load_file

    saved = load_file(checkpoint)
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            weight.data.copy_(saved[f"weight.{name}"])


def example(tokenizer: Any, query: Query) -> Any:
    """The query's tokens; what belongs to its prompt is context without a label."""
    from openledger_engine.influence.gradients import IGNORED, Example

    prompt = list(tokenizer(query.prompt)["input_ids"]) if query.prompt else [tokenizer.bos_token_id]
    answer = list(tokenizer(query.text, add_special_tokens=False)["input_ids"])
    ids = np.array((prompt + answer)[:512])
    return Example(ids, np.where(np.arange(len(ids)) < len(prompt), IGNORED, ids))


def losses(model: Any, tokenizer: Any, queries: Sequence[Query]) -> list[float]:
    """Mean loss of each query in nats a token."""
    import torch
    from openledger_engine.influence.gradients import token_losses

    found = []
    with torch.inference_mode():
        for query in queries:
            item = example(tokenizer, query)
            values, _ = token_losses(model, item)
            found.append(float(values.sum()) / int((item.labels[1:] >= 0).sum()))
    return found


def retrain(folder: str, task: Task, queries: Sequence[Query]) -> list[float]:
    """The product's own `train`, on the files of the task's contributors; the adapter is kept when the task says so."""
    from openledger_engine.methods import Job
    from openledger_engine.training.rows import TrainFile
    from openledger_engine.training.train import TrainParams, train

    output = task.keep or tempfile.mkdtemp(dir=folder)
    files = tuple(TrainFile(i, str(Path(folder) / f"{i}.txt"), "txt") for i in task.contributors)
    params = PARAMS | {"seed": task.seed} | ({"checkpoint_steps": CHECKPOINT_STEPS} if task.checkpoints else {})
    train(
        TrainParams(base=str(BASE), files=files, output=output, params=params, heldout_share_bps=0, suites=()),
        Job(keeper(Path(output)) if task.checkpoints else lambda *_: None),
    )
    model, tokenizer = load(output)
    measured = losses(model, tokenizer, queries)
    if task.keep is None:
        shutil.rmtree(output)
    return measured


def retrain_all(folder: str, tasks: Sequence[Task], queries: Sequence[Query], processes: int) -> np.ndarray:
    """Losses of shape [tasks, queries]. Each process has one thread, so that a task's result doesn't depend on the others."""
    os.environ["OPENLEDGER_ENGINE_THREADS"] = "1"
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(retrain, folder, task, queries) for task in tasks]
        return np.array([future.result() for future in futures])
