"""What a run is measured by, the same on both sides. Prints one line of JSON."""

from __future__ import annotations

import json
import resource
import time


class Clock:
    """Times of the ends of steps. The first step warms up and is not counted."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def tick(self) -> None:
        import torch

        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.times.append(time.perf_counter())


def report(clock: Clock, tokens_a_step: float, losses: list[float]) -> None:
    import torch

    on_gpu = torch.cuda.is_available()
    peak = torch.cuda.max_memory_allocated() if on_gpu else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    speed = tokens_a_step * (len(clock.times) - 1) / (clock.times[-1] - clock.times[0])
    print(json.dumps({"tokensPerSecond": speed, "peakBytes": peak, "losses": losses}))
