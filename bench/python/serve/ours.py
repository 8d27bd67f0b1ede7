"""Our side: the engine's scheduler, given token ids."""

from __future__ import annotations

import hashlib
import os
import time
from concurrent.futures import wait
from pathlib import Path
from typing import Any

from openledger_engine.models.load import load_model
from openledger_engine.runtime import torch_module
from openledger_engine.serving.adapter_pool import AdapterPool
from openledger_engine.serving.limits import from_environment
from openledger_engine.serving.lora_files import inspect_adapter
from openledger_engine.serving.sampling import Sampling
from openledger_engine.serving.scheduler import Scheduler
from openledger_engine.serving.sequence import Sequence
from workload import Request, requests


class Ours:
    def __init__(self, base: Path, adapters: Path) -> None:
        self.torch = torch_module()
        self.model = load_model(base, "auto").eval()
        self.pool = AdapterPool(self.model, from_environment())
        self.scheduler = Scheduler(self.model, self.pool, from_environment())
        self.adapters = adapters
        self.hashes: list[str] = []

    def register(self, count: int) -> None:
        for adapter in range(len(self.hashes), count):
            folder = self.adapters / str(adapter)
            sha256 = hashlib.sha256((folder / "adapter_model.safetensors").read_bytes()).hexdigest()
            self.pool.register(inspect_adapter(folder, sha256, self.pool.layers), pinned=False)
            self.hashes.append(sha256)

    def submit(self, request: Request, first: list[float] | None = None) -> Any:
        def take(*_: Any) -> bool:
            if first is not None and not first:
                first.append(time.perf_counter())
            return False

        return self.scheduler.submit(
            Sequence(request.prompt, request.new_tokens, self.hashes[request.adapter], Sampling(), frozenset(), take)
        )

    def serve(self, work: list[Request]) -> float:
        """Seconds from the first request's arrival to the last one's end; all arrive at once."""
        began = time.perf_counter()
        futures = [self.submit(request) for request in work]
        for future in wait(futures).done:
            future.result()
        return time.perf_counter() - began


def throughput(base: Path, adapters: Path, counts: list[int], count: int, repeats: int) -> dict[str, Any]:
    """Seconds of each round for each number of adapters, in turns. The first round reads adapters from disk, too."""
    ours = Ours(base, adapters)
    ours.register(max(counts))
    vocabulary = ours.model.config.vocab_size
    ours.serve(requests(8, 1, vocabulary))
    seconds: dict[int, list[float]] = {adapters_: [] for adapters_ in counts}
    for _ in range(repeats):
        for distinct in counts:
            seconds[distinct].append(ours.serve(requests(count, distinct, vocabulary)))
    tokens = sum(request.new_tokens for request in requests(count, 1, vocabulary))
    return {"tokens": tokens, "seconds": {str(n): times for n, times in seconds.items()}}


def resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as stream:
        return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def registered(base: Path, adapters: Path, count: int, cold: int) -> dict[str, Any]:
    """Memory of adapters that are only registered, then first tokens of adapters that lie on disk alone."""
    ours = Ours(base, adapters)
    vocabulary = ours.model.config.vocab_size
    ours.register(2)
    ours.serve(requests(8, 2, vocabulary))
    before = resident_bytes()
    began = time.perf_counter()
    ours.register(count)
    seconds = time.perf_counter() - began
    grown = (resident_bytes() - before) / (count - 2)

    def first_token(request: Request) -> float:
        began, first = time.perf_counter(), []
        ours.submit(request, first).result()
        return first[0] - began

    work = [Request(2 + n, list(range(64)), 1) for n in range(cold)]
    for request in work:
        drop_from_page_cache(adapters / str(request.adapter) / "adapter_model.safetensors")
    cold_seconds = sorted(first_token(request) for request in work)
    warm_seconds = sorted(first_token(work[-1]) for _ in range(cold))
    loads = sorted(ours.pool.cold_loads[-cold:])
    return {
        "registered": count,
        "register_seconds": seconds,
        "rss_bytes_per_registered": grown,
        "cold_load_p50_ms": loads[len(loads) // 2] * 1e3,
        "cold_load_p95_ms": loads[int(len(loads) * 0.95)] * 1e3,
        "cold_first_token_p50_ms": cold_seconds[cold // 2] * 1e3,
        "cold_first_token_p95_ms": cold_seconds[int(cold * 0.95)] * 1e3,
        "warm_first_token_p50_ms": warm_seconds[cold // 2] * 1e3,
    }


def merged(base: Path, adapters: Path) -> dict[str, Any]:
    """The largest difference of a logit between a mixed batch and a model into which PEFT merged the row's adapter."""
    from openledger_engine.serving.forward import forward
    from openledger_engine.serving.row_cache import RowCache
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    ours, rows = Ours(base, adapters), 8
    ours.register(rows)
    work = requests(rows, rows, ours.model.config.vocab_size)
    slots = [ours.pool.acquire(ours.hashes[request.adapter]) or 0 for request in work]
    batch = RowCache(ours.model.device)
    for request, slot in zip(work, slots, strict=True):
        own = RowCache(ours.model.device)
        own.add_rows(1)
        ours.pool.select([slot])
        forward(ours.model, own, [request.prompt[:-1]], [0])
        batch.take(own, 0)
    ours.pool.select(slots)
    told = forward(ours.model, batch, [request.prompt[-1:] for request in work], [0])[:, 0].float()
    worst = 0.0
    for request, logits in zip(work, told, strict=True):
        plain = AutoModelForCausalLM.from_pretrained(base, dtype="auto").to(ours.model.device)
        whole = PeftModel.from_pretrained(plain, adapters / str(request.adapter)).merge_and_unload().eval()
        with ours.torch.inference_mode():
            wanted = whole(ours.torch.tensor([request.prompt], device=ours.model.device)).logits[0, -1].float()
        worst = max(worst, float((logits - wanted).abs().max()))
    return {"max_logit_difference": worst, "largest_logit": float(told.abs().max())}


def drop_from_page_cache(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)
