"""The rows that are generated together: prompts are brought in, every row gets a token per pass, finished rows leave."""

from __future__ import annotations

from typing import Any

from ..errors import EngineError, as_engine_error
from ..runtime import torch_module
from .adapter_pool import AdapterPool
from .forward import forward
from .row_cache import RowCache
from .sampling import adjust, choose
from .sequence import Sequence


class Batch:
    """Touched by one thread. A row that fails, ends alone; an error of a forward pass ends all rows of that pass."""

    def __init__(self, model: Any, pool: AdapterPool, prefill_rows: int) -> None:
        self._model = model
        self._pool = pool
        self._prefill_rows = prefill_rows
        self._cache = RowCache(model.device)
        self.running: list[Sequence] = []  # as the rows of the cache
        self._incoming_cache = RowCache(model.device)
        self.incoming: list[Sequence] = []  # the longest prompt first
        self.prompt_tokens = self.output_tokens = 0

    def rows(self) -> list[Sequence]:
        return [*self.running, *self.incoming]

    def wants_prompts(self) -> int:
        """How many prompts can begin now: they are brought in in groups."""
        return 0 if self.incoming else self._prefill_rows

    def begin(self, group: list[Sequence]) -> None:
        self.incoming = sorted(group, key=lambda s: len(s.prompt), reverse=True)
        self._incoming_cache = RowCache(self._model.device)
        self._incoming_cache.add_rows(len(group))

    def prefill(self, budget: int) -> int:
        """Brings in up to `budget` tokens of the prompts, at least one of each; returns how many it computed."""
        group, cache = self.incoming, self._incoming_cache
        done = cache.get_seq_length()
        width = min(max(budget // len(group), 1), len(group[0].prompt) - done)
        pieces = [sequence.prompt[done : done + width] for sequence in group]
        padded = [piece + [0] * (width - len(piece)) for piece in pieces]
        ready = [row for row, sequence in enumerate(group) if len(sequence.prompt) <= done + width]
        keep = sorted({len(pieces[row]) - 1 for row in ready} or {width - 1})
        try:
            self._pool.select([sequence.slot for sequence in group])
            logits = forward(self._model, cache, padded, keep)
            self.prompt_tokens += sum(map(len, pieces))
            if ready:
                self._join(ready, [logits[row, keep.index(len(pieces[row]) - 1)] for row in ready])
        except Exception as error:
            self.incoming = []
            for sequence in group:
                if sequence not in self.running:
                    self._end(sequence, error)
        return width * len(group)

    def _join(self, ready: list[int], logits: list[Any]) -> None:
        """The rows whose prompts are in, always the last of their group, become rows of the running batch."""
        going = [self.incoming[row] for row in ready]
        reasons = self._pick(going, torch_module().stack(logits))
        for row, sequence, reason in zip(ready, going, reasons, strict=True):
            self._incoming_cache.lengths[row] = len(sequence.prompt)
            if reason is None:
                self._cache.take(self._incoming_cache, row)
                self.running.append(sequence)
        del self.incoming[ready[0] :], self._incoming_cache.lengths[ready[0] :]
        for sequence, reason in zip(going, reasons, strict=True):
            if reason is not None:
                self._end(sequence, reason)

    def decode(self) -> None:
        """One token for every running row."""
        rows = self.running
        try:
            self._pool.select([sequence.slot for sequence in rows])
            logits = forward(self._model, self._cache, [[s.output[-1]] for s in rows], [0])[:, 0]
            reasons = self._pick(rows, logits)
        except Exception as error:
            self.running, self._cache = [], RowCache(self._model.device)
            for sequence in rows:
                self._end(sequence, error)
            return
        for row in reversed(range(len(rows))):
            if (reason := reasons[row]) is not None:
                self._end(self._drop(row), reason)

    def fail(self, error: Exception) -> None:
        """Ends every row; the next ones begin afresh."""
        rows, self.running, self.incoming = self.rows(), [], []
        self._cache = RowCache(self._model.device)
        for sequence in rows:
            self._end(sequence, error)

    def drop_cancelled(self) -> None:
        error = EngineError("cancelled", "the request was cancelled")
        for row in reversed(range(len(self.running))):
            if self.running[row].cancelled.is_set():
                self._end(self._drop(row), error)
        if self.incoming and all(sequence.cancelled.is_set() for sequence in self.incoming):
            group, self.incoming = self.incoming, []
            for sequence in group:
                self._end(sequence, error)

    def _drop(self, row: int) -> Sequence:
        sequence = self.running[row]
        self._cache.drop(row)
        self.running[row] = self.running[-1]
        self.running.pop()
        if not self.running:  # gives the memory of the largest batch back
            self._cache = RowCache(self._model.device)
        return sequence

    def _pick(self, rows: list[Sequence], logits: Any) -> list[str | Exception | None]:
        """Chooses and tells each row's next token; a reason for the rows that end with it."""
        logits = logits.float()
        adjusted = logits
        if any(sequence.sampling.adjusts for sequence in rows):
            adjusted = logits.clone()
            for row, s in enumerate(rows):
                if s.sampling.adjusts:
                    adjusted[row] = adjust(logits[row], s.sampling, s.prompt, s.output)
        tokens = choose(adjusted, [s.sampling for s in rows], [len(s.output) for s in rows])
        self.output_tokens += len(tokens)
        reasons: list[str | Exception | None] = []
        for row, (sequence, token) in enumerate(zip(rows, tokens, strict=True)):
            try:
                reasons.append(sequence.push(token, logits[row]))
            except Exception as error:  # telling the token failed: this row's matter alone
                reasons.append(error)
        return reasons

    def _end(self, sequence: Sequence, reason: str | Exception) -> None:
        if sequence.adapter is not None:
            self._pool.release(sequence.adapter)
        if isinstance(reason, str):
            sequence.future.set_result(reason)
        else:
            sequence.future.set_exception(as_engine_error(reason))
