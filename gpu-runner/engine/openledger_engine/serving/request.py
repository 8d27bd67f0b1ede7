"""What a request for text says, and what it means for a base: the prompt's ids, the sampling, the end of the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import bad_params
from ..settings import setting
from .bases import Base
from .chat import ROLES, render
from .sampling import Sampling

MAX_STOPS = 16
MAX_STOP_CHARACTERS = 1024
MAX_BIASES = 1024


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
    top_k: int = setting("how many of the likeliest tokens to sample from; 0: all", default=0, low=0, high=1_000_000)
    min_p: float = setting("least probability, as a share of the likeliest token's", default=0.0, low=0.0, high=1.0)
    repetition_penalty: float = setting(
        "divides the score of what was said, prompt included", default=1.0, low=0.01, high=100.0
    )
    presence_penalty: float = setting("taken off the score of what was answered", default=0.0, low=-2.0, high=2.0)
    frequency_penalty: float = setting("the same for each time it was answered", default=0.0, low=-2.0, high=2.0)
    logit_bias: dict[str, float] | None = setting("token id to what its score is raised by, -100..100", default=None)
    seed: int = setting("same seed, same answer", default=0, low=0, high=(1 << 63) - 1)
    stop: tuple[str, ...] = setting("texts that end the answer and are not part of it", default=())
    logprobs: int | None = setting("tell each token's, and those of so many others", default=None, low=0, high=20)


def prompt_ids(base: Base, params: GenerateParams, context: int) -> tuple[str, list[int]]:
    """The prompt as text and as ids, fewer than `context`. A chat template brings its own special tokens."""
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
    if len(ids) >= context:
        raise bad_params("prompt", f"has {len(ids)} tokens", f"1..{context - 1} tokens")
    return text, ids


def sampling_of(base: Base, params: GenerateParams) -> Sampling:
    return Sampling(
        temperature=params.temperature,
        top_p=params.top_p,
        top_k=params.top_k,
        min_p=params.min_p,
        repetition_penalty=params.repetition_penalty,
        presence_penalty=params.presence_penalty,
        frequency_penalty=params.frequency_penalty,
        logit_bias=_biases(params.logit_bias or {}, int(base.model.config.vocab_size)),
        seed=params.seed,
    )


def _biases(given: dict[Any, Any], vocabulary: int) -> tuple[tuple[int, float], ...]:
    if len(given) > MAX_BIASES:
        raise bad_params("logit_bias", f"has {len(given)} entries", f"..{MAX_BIASES}")
    biases = []
    for key, value in given.items():
        if not str(key).isdigit() or len(str(key)) > 10 or int(key) >= vocabulary:
            raise bad_params("logit_bias", f"{key!r} is no token id", f"0..{vocabulary - 1}")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not -100 <= value <= 100:
            raise bad_params("logit_bias", f"{value!r} is out of range", "-100..100")
        biases.append((int(key), float(value)))
    return tuple(sorted(biases))


def check_stops(stops: tuple[str, ...]) -> None:
    if len(stops) > MAX_STOPS or any(len(stop) > MAX_STOP_CHARACTERS for stop in stops):
        raise bad_params("stop", "too many or too long", f"..{MAX_STOPS} texts of ..{MAX_STOP_CHARACTERS} characters")


def end_tokens(base: Base) -> frozenset[int]:
    """The tokenizer's end token, and those that the model's generation settings add."""
    listed = getattr(base.model.generation_config, "eos_token_id", None)
    more = listed if isinstance(listed, list) else [listed]
    return frozenset(token for token in (base.tokenizer.eos_token_id, *more) if token is not None)


def decoder(base: Base) -> Any:
    """Ids to text, without special tokens."""
    return lambda ids: base.tokenizer.decode(ids, skip_special_tokens=True)
