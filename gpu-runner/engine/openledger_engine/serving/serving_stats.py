"""`serving_stats`: what is resident, what waits, how fast it goes; for every loaded base."""

from __future__ import annotations

from typing import Any

from ..methods import Job, NoParams, register
from . import bases


def quantile_micros(seconds: list[float], share: float) -> int:
    """0 when nothing was measured."""
    if not seconds:
        return 0
    ordered = sorted(seconds)
    return int(ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1_000_000)


def serving_stats(_: NoParams, __: Job) -> dict[str, Any]:
    rows = []
    for base in bases.loaded():
        cold = base.adapters.cold_loads
        loads = {
            "count": base.adapters.cold_load_count,
            "p50_micros": quantile_micros(cold, 0.5),
            "p95_micros": quantile_micros(cold, 0.95),
        }
        adapters = base.adapters.stats() | {"cold_loads": loads}
        rows.append({"base": base.sha256, "adapters": adapters} | base.scheduler.stats())
    return {"bases": rows}


register("serving_stats", NoParams, "short", serving_stats)
