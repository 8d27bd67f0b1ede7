"""`generate`: streams an answer token by token from the base or one of its adapters."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future
from typing import Any

from ..methods import Job, register
from .bases import Base, get_base
from .decoding import TextStream
from .request import GenerateParams, check_stops, decoder, end_tokens, prompt_ids, sampling_of
from .sequence import Sequence, TokenChance


class Telling:
    """Tells a sequence's tokens as events, in pieces of text that are whole."""

    def __init__(self, base: Base, stop: tuple[str, ...], job: Job) -> None:
        self._base = base
        self._job = job
        self._untold: list[dict[str, Any]] = []
        self.stream = TextStream(decoder(base), stop)
        self.logprobs: list[dict[str, Any]] = []

    def take(self, token: int, chance: TokenChance | None) -> bool:
        if chance is not None:
            self._untold.append(
                self._entry(token, chance.logprob) | {"top": [self._entry(other, log) for other, log in chance.top]}
            )
        self._emit(self.stream.push(token))
        return self.stream.stopped

    def finish(self) -> None:
        piece = "" if self.stream.stopped else self.stream.finish()
        if piece or self._untold:
            self._emit(piece or "", always=True)

    def _emit(self, piece: str, always: bool = False) -> None:
        if not piece and not always:
            return
        self.logprobs += self._untold
        self._job.emit("token", {"text": piece} | ({"logprobs": self._untold} if self._untold else {}))
        self._untold = []

    def _entry(self, token: int, logprob: float) -> dict[str, Any]:
        return {"id": token, "text": self._base.tokenizer.decode([token]), "logprob": max(logprob, -9999.0)}


def generate(params: GenerateParams, job: Job) -> Future[dict[str, Any]]:
    """Answers when the scheduler has finished the row."""
    base = get_base(params.base)
    check_stops(params.stop)
    text, ids = prompt_ids(base, params, base.context_length)
    telling = Telling(base, params.stop, job)
    sequence = Sequence(
        prompt=ids,
        room=min(params.max_tokens, base.context_length - len(ids)),
        adapter=params.adapter,
        sampling=sampling_of(base, params),
        ends=end_tokens(base),
        take=telling.take,
        logprobs=params.logprobs,
        cancelled=job.cancelled,
    )
    answer: Future[dict[str, Any]] = Future()

    def finished(done: Future[str]) -> None:
        try:
            reason = done.result()
            telling.finish()
        except Exception as error:
            answer.set_exception(error)
            return
        stream = telling.stream
        result = {
            "text": stream.text,
            "finish_reason": reason,
            "prompt_tokens": len(ids),
            "completion_tokens": len(stream.ids),
            "prompt_sha256": hashlib.sha256(text.encode()).hexdigest(),
            "output_sha256": hashlib.sha256(stream.text.encode()).hexdigest(),
            "output_token_ids": stream.ids,
        }
        answer.set_result(result if params.logprobs is None else result | {"logprobs": telling.logprobs})

    base.scheduler.submit(sequence).add_done_callback(finished)
    return answer


register("generate", GenerateParams, "generate", generate)
