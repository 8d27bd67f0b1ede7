"""The training loop: AdamW on the adapter's weights, one progress event a step."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..methods import Job
from ..runtime import device, torch_module
from .blocks import Blocks
from .config import TrainConfig

IGNORED = -100  # the label that torch's cross entropy skips


@dataclass
class Trained:
    """What a loop has done: tokens whose loss was learnt from, by contribution, and the loss of each step."""

    steps: int = 0
    tokens: int = 0
    by_contribution: dict[str, int] = field(default_factory=dict)
    curve: list[dict[str, Any]] = field(default_factory=list)


def rate_factor(config: TrainConfig, step: int, steps: int) -> float:
    """Share of the learning rate at a step: a linear rise, then the chosen fall."""
    warmup = int(config.warmup_ratio * steps)
    if step < warmup:
        return (step + 1) / (warmup + 1)
    done = (step - warmup) / max(1, steps - warmup)
    if config.scheduler == "cosine":
        return 0.5 * (1 + math.cos(math.pi * done))
    return 1 - done if config.scheduler == "linear" else 1.0


def planned_steps(config: TrainConfig, blocks: int) -> int:
    a_step = config.batch_size * config.gradient_accumulation
    steps = config.epochs * -(-blocks // a_step)
    return min(steps, config.max_steps) if config.max_steps else steps


def train_loop(model: Any, blocks: Blocks, config: TrainConfig, rate: float, job: Job) -> Trained:
    """Trains in place. `model` maps ids of shape [rows, max_length] to logits; only its adapter requires gradients."""
    torch = torch_module()
    weights = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=rate, weight_decay=config.weight_decay)
    half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(config.precision)
    scaler = torch.amp.GradScaler(device(), enabled=config.precision == "fp16")
    shuffler = np.random.Generator(np.random.PCG64(config.seed))
    steps = planned_steps(config, len(blocks.ids))
    trained = Trained(by_contribution=dict.fromkeys(blocks.contributions, 0))
    model.train()
    epoch = 0
    while trained.steps < steps:
        order = shuffler.permutation(len(blocks.ids))
        a_step = config.batch_size * config.gradient_accumulation
        for start in range(0, len(order), a_step):
            if trained.steps == steps:
                break
            job.check()
            began = time.monotonic()
            now = rate * rate_factor(config, trained.steps, steps)
            for group in optimizer.param_groups:
                group["lr"] = now
            picked = order[start : start + a_step]
            loss, tokens = _backward(model, blocks, picked, config.batch_size, half, scaler)
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(weights, config.max_grad_norm)
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad(set_to_none=True)
            _count(trained, blocks, picked, tokens, loss)
            speed = tokens / max(time.monotonic() - began, 1e-9)
            job.emit(
                "progress",
                {"step": trained.steps, "steps": steps, "epoch": epoch, "loss": loss, "learning_rate": now,
                 "tokens_per_second": speed},
            )
        epoch += 1
    return trained


def _labels(blocks: Blocks, picked: Any) -> Any:
    """Ids, with padding ignored and each block's first token too: nothing precedes it."""
    labels = np.where(blocks.owners[picked] >= 0, blocks.ids[picked], IGNORED)
    labels[:, 0] = IGNORED
    return labels


def _backward(model: Any, blocks: Blocks, picked: Any, batch_size: int, half: Any, scaler: Any) -> tuple[float, int]:
    """Gradients of the mean loss over all picked blocks. Returns that loss in nats a token, and the tokens."""
    torch = torch_module()
    tokens = int((_labels(blocks, picked) != IGNORED).sum())
    total = 0.0
    for start in range(0, len(picked), batch_size):
        part = picked[start : start + batch_size]
        ids = torch.from_numpy(blocks.ids[part]).to(device())
        labels = torch.from_numpy(_labels(blocks, part)).to(device())
        with torch.autocast(device(), dtype=half, enabled=half is not None):
            logits = model(input_ids=ids, use_cache=False).logits
        shifted = logits[:, :-1].float().reshape(-1, logits.shape[-1])
        loss = torch.nn.functional.cross_entropy(
            shifted, labels[:, 1:].reshape(-1), ignore_index=IGNORED, reduction="sum"
        )
        # Divided by the tokens of the whole step, so that accumulation equals one large batch.
        scaler.scale(loss / max(tokens, 1)).backward()
        total += float(loss.detach())
    return total / max(tokens, 1), tokens


def _count(trained: Trained, blocks: Blocks, picked: Any, tokens: int, loss: float) -> None:
    learnt = blocks.owners[picked][:, 1:]
    for number, contribution in enumerate(blocks.contributions):
        trained.by_contribution[contribution] += int((learnt == number).sum())
    trained.steps += 1
    trained.tokens += tokens
    trained.curve.append({"step": trained.steps, "loss": loss})
