"""The peer: PEFT's own generate, with a batch of mixed adapters or one request at a time."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from workload import Request, requests


class Peft:
    def __init__(self, base: Path, adapters: Path, count: int) -> None:
        import torch
        from peft import PeftModel
        from transformers import AutoModelForCausalLM

        self.torch = torch
        torch.set_num_threads(int(os.environ.get("OPENLEDGER_ENGINE_THREADS") or len(os.sched_getaffinity(0))))
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        model = AutoModelForCausalLM.from_pretrained(base, dtype="auto").to(self.device)
        self.model = PeftModel.from_pretrained(model, adapters / "0", adapter_name="0", low_cpu_mem_usage=True)
        for adapter in range(1, count):
            self.model.load_adapter(adapters / str(adapter), adapter_name=str(adapter), low_cpu_mem_usage=True)
        self.model.to(self.device).eval()

    def generate(self, batch: list[Request], **options: Any) -> None:
        """Padded on the left; every row goes on until the one that wants most has its tokens."""
        longest = max(len(request.prompt) for request in batch)
        rows = [[0] * (longest - len(request.prompt)) + request.prompt for request in batch]
        mask = [[0] * (longest - len(request.prompt)) + [1] * len(request.prompt) for request in batch]
        tokens = max(request.new_tokens for request in batch)
        with self.torch.inference_mode():
            made = self.model.generate(
                input_ids=self.torch.tensor(rows, device=self.device),
                attention_mask=self.torch.tensor(mask, device=self.device),
                max_new_tokens=tokens,
                do_sample=False,
                pad_token_id=0,
                **options,
            )
        assert made.shape[1] == longest + tokens

    def mixed(self, work: list[Request], batch_rows: int) -> None:
        for start in range(0, len(work), batch_rows):
            batch = work[start : start + batch_rows]
            self.generate(batch, adapter_names=[str(request.adapter) for request in batch])

    def one_at_a_time(self, work: list[Request], _: int) -> None:
        for request in work:
            self.model.set_adapter(str(request.adapter))
            self.generate([request])


def throughput(
    mode: str, base: Path, adapters: Path, distinct: int, count: int, batch_rows: int, repeats: int
) -> dict[str, Any]:
    peft = Peft(base, adapters, distinct)
    run = peft.mixed if mode == "mixed" else peft.one_at_a_time
    vocabulary = peft.model.config.vocab_size
    work = requests(count, distinct, vocabulary)
    run(work[:2], batch_rows)
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        run(work, batch_rows)
        seconds.append(time.perf_counter() - began)
    tokens = sum(request.new_tokens for request in work)
    return {"tokens_per_second": tokens / sorted(seconds)[len(seconds) // 2], "requests": count}
