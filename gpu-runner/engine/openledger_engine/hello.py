"""`hello`: who is on the other end, and with which library versions a record made here would be made."""

from __future__ import annotations

import functools
import platform
from importlib import metadata
from typing import Any

from . import ENGINE, PROTOCOL
from .methods import Job, NoParams, register
from .runtime import device, threads
from .settings import describe
from .training.config import TrainConfig

LIBRARIES = ("torch", "transformers", "peft", "tokenizers", "safetensors", "numpy")


@functools.cache
def versions() -> dict[str, str]:
    """Read from the packages' metadata: importing all of them would take seconds."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in LIBRARIES}


def hello(_: NoParams, __: Job) -> dict[str, Any]:
    return {
        "protocol": PROTOCOL,
        "engine": ENGINE,
        "versions": versions(),
        "device": device(),
        "threads": threads(),
        "train_params": describe(TrainConfig),
    }


register("hello", NoParams, "short", hello)
