"""How much one engine serves at once: read from the environment, because the machine decides it and no request may."""

from __future__ import annotations

import os
from dataclasses import dataclass

PREFIX = "OPENLEDGER_ENGINE_"


@dataclass(frozen=True)
class Limits:
    """Each field is the environment variable PREFIX + its name in capitals, held in the range below."""

    adapter_slots: int  # adapters on the device at once
    adapter_host_bytes: int  # of adapters kept in main memory
    batch_rows: int  # answers generated at once
    batch_tokens: int  # rows times the longest row: bounds the KV cache
    prefill_tokens: int  # of prompts per forward pass: bounds how long a prompt holds up the running answers
    queue_size: int  # requests that wait


RANGES = {
    "adapter_slots": (64, 1, 4096),
    "adapter_host_bytes": (2 << 30, 1 << 20, 1 << 42),
    "batch_rows": (64, 1, 1024),
    "batch_tokens": (1 << 16, 1 << 10, 1 << 24),
    "prefill_tokens": (512, 16, 1 << 16),
    "queue_size": (1024, 1, 1 << 16),
}


def from_environment() -> Limits:
    """Values that are no numbers count as not set."""
    values = {}
    for name, (default, low, high) in RANGES.items():
        text = os.environ.get(PREFIX + name.upper(), "")
        values[name] = min(max(int(text), low), high) if text.isdigit() else default
    return Limits(**values)
