"""One request on its way through the scheduler."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from ..runtime import torch_module
from .sampling import Sampling


@dataclass(frozen=True)
class TokenChance:
    """Natural logarithms of probabilities that the model itself gives, before temperature, penalties and cuts."""

    logprob: float
    top: list[tuple[int, float]]


@dataclass(eq=False)
class Sequence:
    """`take` is told each token and says whether a stop string is complete. The future gives the finish reason."""

    prompt: list[int]
    room: int  # most tokens to answer with
    adapter: str | None
    sampling: Sampling
    ends: frozenset[int]
    take: Callable[[int, TokenChance | None], bool]
    logprobs: int | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    future: Future[str] = field(default_factory=Future)
    output: list[int] = field(default_factory=list)
    slot: int = 0
    passed_over: int = 0

    @property
    def length(self) -> int:
        """Tokens at the most."""
        return len(self.prompt) + self.room

    def chance(self, token: int, logits: Any) -> TokenChance | None:
        """What the answer says about a token, from the unadjusted logits [vocabulary]."""
        if self.logprobs is None:
            return None
        logs = torch_module().log_softmax(logits.float(), dim=-1)
        best = logs.topk(self.logprobs) if self.logprobs else None
        top = list(zip(best.indices.tolist(), best.values.tolist(), strict=True)) if best else []
        return TokenChance(float(logs[token]), top)

    def push(self, token: int, logits: Any) -> str | None:
        """Adds a token; returns the finish reason when it was the last."""
        if token in self.ends:
            return "stop"
        self.output.append(token)
        if self.take(token, self.chance(token, logits)):
            return "stop"
        return "length" if len(self.output) >= self.room else None
