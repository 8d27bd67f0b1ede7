"""Continuous batching: one thread for each base, and between two forward passes requests come and go."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future
from typing import Any

from ..errors import EngineError, as_engine_error
from .adapter_pool import AdapterPool
from .batch import Batch
from .limits import Limits
from .sequence import Sequence
from .waiting import WaitingRequests

# A request that finds no slot for its adapter lets so many others pass; then it waits in front.
PATIENCE = 64
PREFILL_ROWS = {"cpu": 1, "cuda": 8}  # a CPU is as fast with one prompt at a time, and nothing is padded
RATE_SECONDS = 10.0

Task = tuple[Generator[None, None, Any], Future[Any]]


class Scheduler:
    """`submit` from any thread; the model is touched by the scheduler's own thread only."""

    def __init__(self, model: Any, pool: AdapterPool, limits: Limits) -> None:
        self._limits = limits
        self._pool = pool
        self._batch = Batch(model, pool, PREFILL_ROWS.get(model.device.type, 1))
        self._waiting = WaitingRequests()
        self._tasks: deque[Task] = deque()
        self._changed = threading.Condition()
        self._told: deque[tuple[float, int]] = deque()
        threading.Thread(target=self._run, name="scheduler", daemon=True).start()

    def submit(self, sequence: Sequence) -> Future[str]:
        """Raises unknown_adapter and overloaded."""
        if sequence.adapter is not None:
            file = self._pool.find(sequence.adapter)
            # Reads ahead on the caller's thread, so that the batch doesn't wait for the disk.
            self._pool.host.get(file)
        with self._changed:
            if len(self._waiting) >= self._limits.queue_size:
                raise EngineError("overloaded", f"{len(self._waiting)} requests are waiting; try again later")
            self._waiting.push(sequence)
            self._changed.notify()
        return sequence.future

    def run_between(self, steps: Generator[None, None, Any]) -> Future[Any]:
        """Other work with the model: one step between two passes. Each step selects its own adapters."""
        future: Future[Any] = Future()
        with self._changed:
            if len(self._tasks) >= self._limits.queue_size:
                raise EngineError("overloaded", f"{len(self._tasks)} checks are waiting; try again later")
            self._tasks.append((steps, future))
            self._changed.notify()
        return future

    def stats(self) -> dict[str, Any]:
        since = time.monotonic() - RATE_SECONDS
        with self._changed:
            recent = [tokens for at, tokens in self._told if at >= since]
        return {
            "running": len(self._batch.running),
            "waiting": len(self._waiting) + len(self._batch.incoming),
            "prompt_tokens": self._batch.prompt_tokens,
            "output_tokens": self._batch.output_tokens,
            "tokens_per_second": sum(recent) / RATE_SECONDS,
        }

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._tasks or self._batch.rows())
            try:
                self._pass()
            except Exception as error:  # a fault of this program: everybody is told, and the thread goes on
                traceback.print_exc(file=sys.stderr)
                self._fail_all(error)

    def _fail_all(self, error: Exception) -> None:
        self._batch.fail(error)
        with self._changed:
            waiting = self._waiting.take_where(lambda _: True)
            tasks, self._tasks = self._tasks, deque()
        for future in [*(sequence.future for sequence in waiting), *(future for _, future in tasks)]:
            future.set_exception(as_engine_error(error))

    def _pass(self) -> None:
        with self._changed:
            cancelled = self._waiting.take_where(lambda sequence: sequence.cancelled.is_set())
        for sequence in cancelled:
            sequence.future.set_exception(EngineError("cancelled", "the request was cancelled before it began"))
        self._batch.drop_cancelled()
        before = self._batch.output_tokens
        self._prefill()
        if self._batch.running:
            self._batch.decode()
        self._count(self._batch.output_tokens - before)
        if self._tasks:
            self._step(*self._tasks[0])

    def _prefill(self) -> None:
        budget = self._limits.prefill_tokens
        while budget > 0:
            if wanted := self._batch.wants_prompts():
                with self._changed:
                    group = self._admit(wanted)
                if not group:
                    return
                self._batch.begin(group)
            budget -= self._batch.prefill(budget)

    def _admit(self, wanted: int) -> list[Sequence]:
        """Takes requests whose rows and adapters have room now, adapter after adapter."""
        group: list[Sequence] = []
        while len(group) < wanted and (found := self._next([*self._batch.rows(), *group])):
            self._waiting.remove(found)
            group.append(found)
        return group

    def _next(self, rows: list[Sequence]) -> Sequence | None:
        without_slot: list[Sequence] = []
        for sequence in self._waiting.next_in_turn():
            longest = max([sequence.length, *(row.length for row in rows)])
            if len(rows) >= self._limits.batch_rows or rows and longest * (len(rows) + 1) > self._limits.batch_tokens:
                return None  # nobody overtakes it, or a long request might wait for ever
            try:
                slot = 0 if sequence.adapter is None else self._pool.acquire(sequence.adapter)
            except Exception as error:
                self._waiting.remove(sequence)
                sequence.future.set_exception(error)
                continue
            if slot is not None:
                sequence.slot = slot
                for other in without_slot:
                    other.passed_over += 1
                return sequence
            if sequence.passed_over >= PATIENCE:
                return None
            without_slot.append(sequence)
        return None

    def _step(self, steps: Generator[None, None, Any], future: Future[Any]) -> None:
        try:
            next(steps)
        except StopIteration as end:
            self._tasks.popleft()
            future.set_result(end.value)
        except Exception as error:
            self._tasks.popleft()
            future.set_exception(error)

    def _count(self, tokens: int) -> None:
        now = time.monotonic()
        with self._changed:
            if tokens:
                self._told.append((now, tokens))
            while self._told and self._told[0][0] < now - RATE_SECONDS:
                self._told.popleft()
