"""Process-wide choices: threads, the device, and torch's settings, made once and before anything is computed."""

from __future__ import annotations

import functools
import os
import threading
import types


def threads() -> int:
    """How many threads torch may use: OPENLEDGER_ENGINE_THREADS, else the cores this process may run on."""
    text = os.environ.get("OPENLEDGER_ENGINE_THREADS", "")
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(text)) if text.isdigit() else min(available, 16)


def prepare_environment() -> None:
    """Before torch is imported: every worker thread then gets the same number of threads."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads())
    # Waiting threads spin for some microseconds and then sleep. Spinning on made training four times slower beside a busy
    # node; sleeping at once costs a tenth alone, and the short spin a sixth beside two busy cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    # cuBLAS needs this to give the same bits twice.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def limit_memory() -> None:
    """No more than OPENLEDGER_ENGINE_MEMORY bytes of data: what needs more fails alone, instead of taking the machine down."""
    text = os.environ.get("OPENLEDGER_ENGINE_MEMORY", "")
    if not text.isdigit():
        return
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_DATA, (int(text), int(text)))


_FIRST = threading.RLock()


def torch_module() -> types.ModuleType:
    """torch, set up for equal results on equal input. The first call takes seconds, and the others wait for it."""
    with _FIRST:
        return _torch()


@functools.cache
def _torch() -> types.ModuleType:
    import torch

    torch.set_num_threads(threads())
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Nothing here reads memory before it is written; filling it first costs a tenth of a training step.
    torch.utils.deterministic.fill_uninitialized_memory = False
    return torch


def device() -> str:
    return "cuda" if torch_module().cuda.is_available() else "cpu"


def offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on")
