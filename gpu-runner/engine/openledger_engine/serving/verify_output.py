"""`verify_output`: could the sampling rule have given this answer? One pass over prompt and output tells.

Nothing is generated: each position's logits follow from the tokens before it, and each choice is checked by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from ..errors import bad_params
from ..methods import Job, register
from ..settings import setting
from .bases import Base, get_base, longest_context
from .check_choice import Judgement, check_choice
from .decoding import TextStream
from .forward import forward
from .request import GenerateParams, check_stops, decoder, end_tokens, prompt_ids, sampling_of
from .row_cache import RowCache
from .sampling import Sampling, adjust

CHUNK = 256  # positions per pass: running answers wait no longer than that


@dataclass(frozen=True, kw_only=True)
class VerifyParams(GenerateParams):
    output_token_ids: tuple[int, ...] = setting("the answer", low=0)
    finish_reason: str = setting("why it ended", choices=("stop", "length"))
    tolerance_micros: int = setting(
        "how far a logit may differ between the two machines, in millionths", default=500, low=0, high=10_000_000
    )
    context_length: int | None = setting("the context that the answer was given in; none: the base's own", default=None, low=1)


@dataclass(frozen=True)
class Case:
    prompt: list[int]
    output: list[int]
    sampling: Sampling
    ends: frozenset[int]
    tolerance: float


def verify_output(params: VerifyParams, job: Job) -> Future[dict[str, Any]]:
    base = get_base(params.base)
    check_stops(params.stop)
    # What is checked may have been served with less room than here, or with more: not with more than the model has.
    context = params.context_length or base.context_length
    if context > (longest := longest_context(base.model)):
        raise bad_params("context_length", f"{context} is more than the model's own", f"1..{longest}")
    text, ids = prompt_ids(base, params, context)
    output = list(params.output_token_ids)
    room = min(params.max_tokens, context - len(ids))
    vocabulary = int(base.model.config.vocab_size)
    if len(output) > room or any(token >= vocabulary for token in output):
        raise bad_params("output_token_ids", "not an answer of this model", f"..{room} ids below {vocabulary}")
    if params.adapter is not None:
        base.adapters.find(params.adapter)
    case = Case(ids, output, sampling_of(base, params), end_tokens(base), params.tolerance_micros / 1e6)
    answer: Future[dict[str, Any]] = Future()

    def finished(done: Future[list[Judgement]]) -> None:
        try:
            *judgements, ending = done.result()
            stream = _read(base, params.stop, output)
            ended = _ended(params, case, ending, stream, room)
            answer.set_result(
                _result(judgements, ended)
                | {
                    "text": stream.text if stream else "",
                    "prompt_tokens": len(ids),
                    "prompt_sha256": hashlib.sha256(text.encode()).hexdigest(),
                    "output_sha256": hashlib.sha256(stream.text.encode()).hexdigest() if stream else "",
                }
            )
        except Exception as error:
            answer.set_exception(error)

    base.scheduler.run_between(_judge(base, params.adapter, case, job)).add_done_callback(finished)
    return answer


def _judge(base: Base, adapter: str | None, case: Case, job: Job) -> Generator[None, None, list[Judgement]]:
    """A judgement for each output token, and one for the end token that may have followed."""
    slot = 0 if adapter is None else base.adapters.acquire(adapter)
    while slot is None:
        yield
        job.check()
        slot = base.adapters.acquire(str(adapter))
    try:
        cache, ids = RowCache(base.model.device), case.prompt + case.output
        cache.add_rows(1)
        judgements: list[Judgement] = []
        first = len(case.prompt) - 1  # the position whose logits give the first token of the answer
        for start in range(0, len(ids), CHUNK):
            job.check()
            piece = ids[start : start + CHUNK]
            wanted = [at for at in range(len(piece)) if start + at >= first]
            base.adapters.select([slot])
            logits = forward(base.model, cache, [piece], wanted or [len(piece) - 1])[0]
            for row, at in enumerate(wanted):
                judgements.append(_judge_one(logits[row].float(), case, start + at - first))
            yield
        return judgements
    finally:
        if adapter is not None:
            base.adapters.release(adapter)


def _judge_one(logits: Any, case: Case, position: int) -> Judgement:
    if case.sampling.adjusts:
        logits = adjust(logits, case.sampling, case.prompt, case.output[:position])
    candidates = [case.output[position]] if position < len(case.output) else sorted(case.ends)
    found = [check_choice(logits, token, case.sampling, position, case.tolerance) for token in candidates]
    return next((one for one in found if one.agrees), found[0] if found else Judgement(False, 0.0, 0.0))


def _read(base: Base, stop: tuple[str, ...], output: list[int]) -> TextStream | None:
    """The answer's text; None when it goes on behind a stop string."""
    stream = TextStream(decoder(base), stop)
    for token in output:
        if stream.stopped:
            return None
        stream.push(token)
    return stream


def _ended(params: VerifyParams, case: Case, ending: Judgement, stream: TextStream | None, room: int) -> bool:
    if stream is None or any(token in case.ends for token in case.output):
        return False
    if params.finish_reason == "length":
        return len(case.output) == room and not stream.stopped
    return stream.stopped or len(case.output) < room and ending.agrees


def _result(judgements: list[Judgement], ended: bool) -> dict[str, Any]:
    first = next((at for at, one in enumerate(judgements) if not one.agrees), None)
    worst_logit = max((one.logit_gap for one in judgements), default=0.0)
    worst_cdf = max((one.cdf_gap for one in judgements), default=0.0)
    result = {
        "agrees": first is None and ended,
        "checked": len(judgements),
        "worst_logit_gap_micros": round(min(worst_logit, 1e6) * 1e6),
        "worst_cdf_gap_micros": round(worst_cdf * 1e6),
        "finish_ok": ended,
    }
    return result if first is None else result | {"first_mismatch": first}


register("verify_output", VerifyParams, "generate", verify_output)
