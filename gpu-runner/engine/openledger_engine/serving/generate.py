"""`generate`: streams an answer token by token from the base or one of its adapters."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import EngineError, bad_params
from ..methods import Job, register
from ..runtime import device, torch_module
from ..settings import setting
from .bases import Base, get_base
from .chat import ROLES, render
from .decoding import TextStream
from .sampling import choose


@dataclass(frozen=True)
class Message:
    role: str = setting("who speaks", choices=ROLES)
    content: str = setting("what was said")


@dataclass(frozen=True)
class GenerateParams:
    base: str = setting("sha256 of the loaded base")
    adapter: str | None = setting("sha256 of a loaded adapter; none: the base alone", default=None)
    prompt: str | None = setting("raw text to continue", default=None)
    messages: tuple[Message, ...] | None = setting("a chat; instead of `prompt`", default=None)
    max_tokens: int = setting("most tokens to answer with", default=256, low=1, high=1_000_000)
    temperature: float = setting("0 is always the likeliest token, higher is more varied", default=0.0, low=0.0, high=10.0)
    top_p: float = setting("share of probability to sample from", default=1.0, low=0.0, high=1.0)
    seed: int = setting("same seed, same answer", default=0, low=0, high=(1 << 63) - 1)
    stop: tuple[str, ...] = setting("texts that end the answer and are not part of it", default=())


def prompt_ids(base: Base, params: GenerateParams) -> tuple[str, list[int]]:
    """The prompt as text and as ids. A chat template brings its own special tokens."""
    if (params.prompt is None) == (params.messages is None):
        raise bad_params("prompt", "give either `prompt` or `messages`")
    if params.messages is not None:
        text = render(base.tokenizer, [{"role": m.role, "content": m.content} for m in params.messages])
        ids = base.tokenizer(text, add_special_tokens=base.tokenizer.chat_template is None)["input_ids"]
    else:
        text = params.prompt or ""
        ids = base.tokenizer(text)["input_ids"]
    if not ids:
        ids = [base.tokenizer.bos_token_id or base.tokenizer.eos_token_id or 0]
    if len(ids) >= base.context_length:
        raise bad_params("prompt", f"has {len(ids)} tokens", f"1..{base.context_length - 1} tokens")
    return text, ids


@contextlib.contextmanager
def activated(base: Base, adapter: str | None) -> Iterator[None]:
    """Holds the model with exactly this adapter set, for one forward pass."""
    with base.lock:
        if adapter is not None and adapter not in base.adapters:
            raise EngineError("unknown_adapter", f"adapter {adapter} is not loaded")
        if adapter is not None and base.active != adapter:
            base.model.set_adapter(adapter)
            base.active = adapter
        with base.model.disable_adapter() if base.adapters and adapter is None else contextlib.nullcontext():
            yield


def next_logits(base: Base, adapter: str | None, ids: list[int], cache: Any) -> Any:
    """One forward pass over new ids, given the cache of those before. Returns logits of shape [vocabulary]."""
    torch = torch_module()
    with torch.inference_mode(), activated(base, adapter):
        rows = torch.tensor([ids], device=device())
        return base.model(input_ids=rows, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[0, -1]


def generate(params: GenerateParams, job: Job) -> dict[str, Any]:
    from transformers import DynamicCache

    torch = torch_module()
    base = get_base(params.base)
    text, ids = prompt_ids(base, params)
    room = min(params.max_tokens, base.context_length - len(ids))
    ends = _end_tokens(base)
    generator = torch.Generator().manual_seed(params.seed)
    stream = TextStream(lambda row: base.tokenizer.decode(row, skip_special_tokens=True), params.stop)
    cache, fresh, reason = DynamicCache(), ids, "length"
    for _ in range(room):
        job.check()
        token = choose(next_logits(base, params.adapter, fresh, cache), params.temperature, params.top_p, generator)
        if token in ends:
            reason = "stop"
            break
        if piece := stream.push(token):
            job.emit("token", {"text": piece})
        if stream.stopped:
            reason = "stop"
            break
        fresh = [token]
    if not stream.stopped and (piece := stream.finish()):
        job.emit("token", {"text": piece})
    return {
        "text": stream.text,
        "finish_reason": reason,
        "prompt_tokens": len(ids),
        "completion_tokens": len(stream.ids),
        "prompt_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "output_sha256": hashlib.sha256(stream.text.encode()).hexdigest(),
        "output_token_ids": stream.ids,
    }


def _end_tokens(base: Base) -> set[int]:
    """The tokenizer's end token, and those that the model's generation settings add."""
    listed = getattr(base.model.generation_config, "eos_token_id", None)
    more = listed if isinstance(listed, list) else [listed]
    return {token for token in (base.tokenizer.eos_token_id, *more) if token is not None}


register("generate", GenerateParams, "generate", generate)
