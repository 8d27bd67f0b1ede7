"""The table of methods. A module registers its own at its end; the server only looks them up."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal

from .errors import EngineError

Lane = Literal["train", "generate", "short"]
Answer = dict[str, Any]


class Job:
    """What a running method may do besides returning: tell events, and notice that it was cancelled."""

    def __init__(self, emit: Callable[[str, dict[str, Any]], None]) -> None:
        self.emit = emit
        self.cancelled = threading.Event()
        self.future: Future[None] | None = None

    def check(self) -> None:
        """To be called wherever a method can stop cleanly."""
        if self.cancelled.is_set():
            raise EngineError("cancelled", "the request was cancelled")


@dataclass(frozen=True)
class Method:
    name: str
    params: type
    lane: Lane
    run: Callable[[Any, Job], Answer | Future[Answer]]  # a future: the answer comes later, from another thread


@dataclass(frozen=True)
class NoParams:
    """For methods that take an empty map."""


METHODS: dict[str, Method] = {}

# Importing one of these is cheap: torch and transformers are imported inside the functions that need them.
MODULES = (
    "hello", "files.validate", "serving.load_base", "serving.load_adapter", "serving.generate",
    "serving.verify_output", "serving.serving_stats",
    "training.train", "training.estimate", "evaluation.evaluate", "evidence.index_corpus", "evidence.attribute",
    "influence.influence", "retrieval.retrieve",
)


def register(
    name: str, params: type, lane: Lane, run: Callable[[Any, Job], Answer | Future[Answer]]
) -> None:
    assert name not in METHODS, name
    METHODS[name] = Method(name, params, lane, run)


def load_methods() -> None:
    for module in MODULES:
        importlib.import_module(f"{__package__}.{module}")
