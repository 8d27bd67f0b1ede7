"""The peer: peft and transformers.Trainer as people write them, on the same blocks in the same order."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measured import Clock, report
from peft import LoraConfig, get_peft_model
from torch.utils.data import Dataset, SequentialSampler
from transformers import AutoModelForCausalLM, Trainer, TrainerCallback, TrainingArguments, set_seed


class Rows(Dataset):  # type: ignore[type-arg]
    def __init__(self, path: Path) -> None:
        stored = np.load(path)
        self.ids, self.learnt = torch.from_numpy(stored["ids"]), torch.from_numpy(stored["learnt"])

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, row: int) -> dict[str, Any]:
        labels = torch.where(self.learnt[row], self.ids[row], -100)
        return {"input_ids": self.ids[row], "attention_mask": torch.ones_like(labels), "labels": labels}


class InOrder(Trainer):
    """The blocks lie in the order of the steps already."""

    def _get_train_sampler(self, *_: Any, **__: Any) -> SequentialSampler:
        return SequentialSampler(self.train_dataset)  # type: ignore[arg-type]


class Ticks(TrainerCallback):
    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.clock.tick()


def main() -> None:
    folder = Path(sys.argv[1])
    params = json.loads((folder / "request.json").read_text("utf-8"))["params"]
    half = params["precision"] == "bf16"
    model = AutoModelForCausalLM.from_pretrained(folder / "base", dtype=torch.bfloat16 if half else torch.float32)
    set_seed(params["seed"])
    model = get_peft_model(
        model,
        LoraConfig(r=params["rank"], lora_alpha=params["alpha"], target_modules="all-linear", task_type="CAUSAL_LM"),
    )
    rows, clock = Rows(folder / "blocks.npz"), Clock()
    with tempfile.TemporaryDirectory() as output:
        trainer = InOrder(
            model=model,
            train_dataset=rows,
            args=TrainingArguments(
                output_dir=output, per_device_train_batch_size=params["batch_size"],
                gradient_accumulation_steps=params["gradient_accumulation"], learning_rate=params["learning_rate"],
                lr_scheduler_type="cosine", warmup_steps=0, num_train_epochs=1, max_grad_norm=1.0, weight_decay=0.0,
                bf16=half, logging_steps=1, save_strategy="no", report_to=[], seed=params["seed"], disable_tqdm=True,
            ),
            callbacks=[Ticks(clock)],
        )
        trainer.train()
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    report(clock, int(rows.learnt.sum()) / len(losses), losses)


main()
