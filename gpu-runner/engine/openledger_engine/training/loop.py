"""The training loop: AdamW on the adapter's weights, one progress event a step."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from ..errors import EngineError, bad_params
from ..evaluation.losses import mean_loss
from ..methods import Job
from ..runtime import device, torch_module
from .blocks import Blocks
from .checkpoint import Checkpoint
from .config import TrainConfig
from .objective import token_losses
from .processes import Processes
from .schedule import looks_at, picked_blocks, planned_steps, rate_factor, step_seed


@dataclass
class Progress:
    """How far a run is: what a checkpoint holds beside tensors, and what the result tells."""

    steps: int = 0
    tokens_by_owner: list[int] = field(default_factory=list)  # as Blocks.learnt_by_owner counts them
    curve: list[dict[str, Any]] = field(default_factory=list)
    validation_curve: list[dict[str, Any]] = field(default_factory=list)
    best_step: int = 0
    best_loss: float = math.inf
    stopped_early: bool = False
    scaler: dict[str, Any] = field(default_factory=dict)


class Loop:
    """Trains `model` in place: only its adapter requires gradients. `validation` are rows of token ids."""

    def __init__(
        self, model: Any, blocks: Blocks, validation: list[list[int]], config: TrainConfig, checkpoint: Checkpoint,
        processes: Processes, job: Job,
    ) -> None:
        torch = torch_module()
        self._model, self._blocks, self._validation, self._config = model, blocks, validation, config
        self._checkpoint, self._processes, self._job = checkpoint, processes, job
        self._weights = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self._optimizer = torch.optim.AdamW(
            self._weights.values(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
        )
        self._half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(config.precision)
        self._scaler = torch.amp.GradScaler(device(), enabled=config.precision == "fp16")
        self._steps = planned_steps(config, len(blocks.ids))
        self._best: dict[str, Any] = {}
        self.resumed_from = 0
        self.progress = Progress(tokens_by_owner=[0] * (len(blocks.contributions) + 1))

    def run(self) -> Progress:
        self._resume()
        progress, began, before = self.progress, time.monotonic(), self.progress.steps
        self._model.train()
        while progress.steps < self._steps and not progress.stopped_early:
            self._stop_if_cancelled()
            step_began = time.monotonic()
            epoch, rate, loss, tokens = self._step()
            now = time.monotonic()
            self._job.emit(
                "progress",
                {"step": progress.steps, "steps": self._steps, "epoch": epoch, "loss": loss, "learning_rate": rate,
                 "tokens_per_second": tokens / max(now - step_began, 1e-9),
                 "seconds_left": (now - began) / (progress.steps - before) * (self._steps - progress.steps)},
            )
            if self._validation and looks_at(self._config, progress.steps, self._steps):
                self._look()
            every = self._config.checkpoint_steps
            if every and progress.steps % every == 0 and progress.steps < self._steps:
                self._save()
        if self._best:
            for name, weight in self._weights.items():
                weight.data.copy_(self._best[name])
        return progress

    def _resume(self) -> None:
        if (found := self._checkpoint.load(self._weights, self._optimizer)) is None:
            return
        state, self._best = found
        self.progress = Progress(**state)
        self._scaler.load_state_dict(self.progress.scaler)
        self.resumed_from = self.progress.steps
        self._job.emit("log", {"message": f"goes on from the checkpoint after step {self.resumed_from}"})

    def _save(self) -> None:
        if self._processes.rank == 0:
            self.progress.scaler = self._scaler.state_dict()
            self._checkpoint.save(asdict(self.progress), self._weights, self._optimizer, self._best)

    def _stop_if_cancelled(self) -> None:
        try:
            self._job.check()
        except EngineError:
            self._save()
            raise

    def _step(self) -> tuple[int, float, float, int]:
        """One step of the optimizer. Returns epoch, learning rate, mean loss in nats a token, and tokens."""
        torch, config, progress = torch_module(), self._config, self.progress
        epoch, picked = picked_blocks(config, len(self._blocks.ids), progress.steps)
        rate = (config.learning_rate or 0.0) * rate_factor(config, progress.steps, self._steps)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        torch.manual_seed(step_seed(config, progress.steps, self._processes.rank))
        counts = self._blocks.learnt_by_owner(picked)
        tokens = int(counts.sum())
        loss = self._backward(picked[self._processes.rank :: self._processes.size], tokens)
        if not math.isfinite(loss):
            raise bad_params("params.learning_rate", f"the loss is no number any more at step {progress.steps + 1}")
        weights = list(self._weights.values())
        self._processes.sum_gradients(weights)
        self._scaler.unscale_(self._optimizer)
        torch.nn.utils.clip_grad_norm_(weights, config.max_grad_norm)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._optimizer.zero_grad(set_to_none=True)
        progress.steps += 1
        progress.tokens_by_owner = [a + int(b) for a, b in zip(progress.tokens_by_owner, counts, strict=True)]
        progress.curve.append({"step": progress.steps, "loss": loss})
        return epoch, rate, loss, tokens

    def _backward(self, picked: Any, tokens: int) -> float:
        """Gradients of this process's part of the step's mean loss. Returns the whole mean, in nats a token."""
        torch, blocks = torch_module(), self._blocks
        total = 0.0
        for start in range(0, len(picked), self._config.batch_size):
            part = picked[start : start + self._config.batch_size]
            length = int((blocks.learnt[part].any(axis=0)).nonzero()[0][-1]) + 1  # nothing is learnt beyond
            ids = torch.from_numpy(blocks.ids[part, :length]).to(device())
            learnt = torch.from_numpy(blocks.learnt[part, :length]).to(device())
            with torch.autocast(device(), dtype=self._half, enabled=self._half is not None):
                loss = token_losses(self._model, ids, learnt).sum()
            # Divided by the tokens of the whole step, so that accumulation equals one large batch.
            self._scaler.scale(loss / tokens).backward()
            total += float(loss.detach())
        return self._processes.sum(total / tokens)

    def _look(self) -> None:
        """The validation loss, and what early stopping makes of it. Every process comes to the same."""
        progress, config = self.progress, self._config
        self._model.eval()
        # Not to be called off in the middle: a checkpoint stands after whole steps and their looks only.
        steady = Job(self._job.emit)
        mine = mean_loss(self._model, self._validation, steady) if self._processes.rank == 0 else 0.0
        self._model.train()
        loss = self._processes.sum(mine)
        progress.validation_curve.append({"step": progress.steps, "loss": loss})
        self._job.emit("validation", {"step": progress.steps, "loss": loss})
        if loss < progress.best_loss - config.min_delta:
            progress.best_step, progress.best_loss = progress.steps, loss
            if config.patience:
                self._best = {name: weight.detach().cpu().clone() for name, weight in self._weights.items()}
        looks = [look["step"] for look in progress.validation_curve if look["step"] > progress.best_step]
        progress.stopped_early = 0 < config.patience <= len(looks) and progress.steps < self._steps
