"""verify_output accepts what mixed batches answered, and rejects what the rule didn't give."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from driver import BASE, Engine
from serving_base import Served
from serving_models import make_adapter

from openledger_engine.errors import EngineError
from openledger_engine.serving import bases
from openledger_engine.serving.bases import longest_context

PROMPTS = ("The server", "A person who walks", "Question: why?\nAnswer:", "x", "def add(a, b):\n", "One, two, three")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    folder = tmp_path_factory.mktemp("verified")
    served = Served(BASE)
    for seed in range(2):
        served.add(make_adapter(BASE, folder / str(seed), seed, r=8), folder / str(seed))
    return served


def asked(served: Served, rng: random.Random) -> dict[str, Any]:
    name = rng.choice([None, *served.adapters])
    return {
        "prompt": rng.choice(PROMPTS) + " again" * rng.randrange(3),
        "max_tokens": rng.randrange(12, 32),
        "temperature": rng.choice((0.0, 0.6, 1.0, 1.5)),
        "top_p": rng.choice((1.0, 0.9)),
        "top_k": rng.choice((0, 40)),
        "min_p": rng.choice((0.0, 0.02)),
        "presence_penalty": rng.choice((0.0, 0.7)),
        "repetition_penalty": rng.choice((1.0, 1.3)),
        "seed": rng.randrange(1 << 62),
        "stop": rng.choice(((), ("\n",), (".", ","))),
        **({"adapter": name} if name else {}),
    }


@pytest.fixture(scope="module")
def answered(served: Served) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Forty requests that shared batches."""
    rng = random.Random(8)
    work = [asked(served, rng) for _ in range(40)]
    release = served.hold()
    answers = [served.start(**request) for request in work]
    release.set()
    return [(request, later.result(timeout=120)) for request, later in zip(work, answers, strict=True)]


def test_honest_answers_of_mixed_batches_agree(served: Served, answered: list[Any]) -> None:
    worst = 0
    for request, answer in answered:
        verdict = served.verify(answer, **request)
        assert verdict["agrees"] and verdict["finish_ok"] and "first_mismatch" not in verdict
        assert verdict["checked"] == answer["completion_tokens"]
        assert verdict["output_sha256"] == answer["output_sha256"]
        assert verdict["prompt_sha256"] == answer["prompt_sha256"]
        assert verdict["text"] == answer["text"] and verdict["prompt_tokens"] == answer["prompt_tokens"]
        worst = max(worst, verdict["worst_logit_gap_micros"])
    print(f"worst logit gap of greedy answers: {worst} micros")
    assert worst <= 100  # a tenth of what the default tolerance lets pass


def test_an_answer_of_another_model_is_rejected(served: Served, answered: list[Any]) -> None:
    """The base's for an adapter's, one adapter's for another's: unless both say the very same."""
    rejected = 0
    for request, answer in answered[:20]:
        name = next(other for other in (None, *served.adapters) if other != request.get("adapter"))
        other = {key: value for key, value in request.items() if key != "adapter"} | ({"adapter": name} if name else {})
        same = served.say(**other)["output_token_ids"] == answer["output_token_ids"]
        assert served.verify(answer, **other)["agrees"] is same
        rejected += not same
    assert rejected > 10


def test_a_changed_token_is_rejected(served: Served, answered: list[Any]) -> None:
    rng = random.Random(5)
    for request, answer in answered[:20]:
        ids = list(answer["output_token_ids"])
        if not ids:
            continue
        place = rng.randrange(len(ids))
        ids[place] = (ids[place] + rng.randrange(1, 3000)) % 3072
        assert not served.verify(answer | {"output_token_ids": ids}, **request)["agrees"]


def test_another_seed_is_rejected(served: Served, answered: list[Any]) -> None:
    drawn = [(r, a) for r, a in answered if r["temperature"] >= 1 and a["completion_tokens"] >= 8]
    assert len(drawn) > 5
    for request, answer in drawn:
        assert not served.verify(answer, **request | {"seed": request["seed"] + 1})["agrees"]


def test_an_answer_that_ended_too_early_is_rejected(served: Served, answered: list[Any]) -> None:
    for request, answer in answered[:20]:
        ids = answer["output_token_ids"]
        if len(ids) < 2:
            continue
        for reason in ("stop", "length"):
            cut = {"output_token_ids": ids[:-1], "finish_reason": reason}
            verdict = served.verify(cut, **request)
            assert not verdict["finish_ok"] and not verdict["agrees"] and "first_mismatch" not in verdict
        other = {"stop": "length", "length": "stop"}[answer["finish_reason"]]
        assert not served.verify(answer | {"finish_reason": other}, **request)["finish_ok"]


def test_tokens_behind_the_end_are_rejected(served: Served) -> None:
    request: dict[str, Any] = {"prompt": "The server", "max_tokens": 30, "stop": [","]}
    answer = served.say(**request)
    if answer["finish_reason"] == "stop":
        longer = served.say(**request | {"stop": []})
        assert not served.verify(longer, **request)["finish_ok"]


def test_tokens_behind_a_stop_string_are_no_text(served: Served) -> None:
    request: dict[str, Any] = {"prompt": "The server", "max_tokens": 30}
    answer = served.say(**request)
    verdict = served.verify(answer, **request, stop=[answer["text"][0]])
    assert not verdict["agrees"] and verdict["text"] == verdict["output_sha256"] == ""


def test_an_answer_of_a_shorter_context_is_as_long_as_that_had_room(served: Served) -> None:
    request: dict[str, Any] = {"prompt": "The server", "max_tokens": 5, "temperature": 1.0, "seed": 3}
    answer = served.say(**request)
    assert answer["finish_reason"] == "length"
    context = answer["prompt_tokens"] + 5
    asked = request | {"max_tokens": 100}
    assert served.verify(answer, **asked, context_length=context)["agrees"]
    for other in ({}, {"context_length": context + 1}):
        assert not served.verify(answer, **asked, **other)["finish_ok"]
    for length, name in ((context - 1, "output_token_ids"), (answer["prompt_tokens"], "prompt"), (1 << 20, "context_length")):
        with pytest.raises(EngineError) as refused:
            served.verify(answer, **asked, context_length=length)
        assert refused.value.code == "bad_params" and refused.value.details["name"] == name


def test_a_context_longer_than_is_served_here_is_verified(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    request: dict[str, Any] = {"prompt": "The server", "max_tokens": 6, "temperature": 1.0, "seed": 3}
    answer = served.say(**request)
    monkeypatch.setattr(served, "base", replace(served.base, context_length=answer["prompt_tokens"] + 1))
    monkeypatch.setitem(bases._BASES, served.base.sha256, served.base)
    assert served.verify(answer, **request, context_length=longest_context(served.base.model))["agrees"]
    with pytest.raises(EngineError):
        served.verify(answer, **request)


def test_the_protocol_carries_it(engine: Engine, base: str, tmp_path: Path) -> None:
    request: dict[str, Any] = {"base": base, "prompt": "The server", "max_tokens": 9, "temperature": 0.9, "seed": 4}
    answer = engine.result("generate", **request)
    claim = {"output_token_ids": answer["output_token_ids"], "finish_reason": answer["finish_reason"]}
    verdict = engine.result("verify_output", **request, **claim)
    assert verdict["agrees"] and verdict["worst_cdf_gap_micros"] <= 100
    refused = engine.error("verify_output", **request, output_token_ids=[99999], finish_reason="stop")
    assert refused["details"]["name"] == "output_token_ids"
    assert engine.error("verify_output", **request, **claim, adapter="0" * 64)["code"] == "unknown_adapter"
    assert engine.error("verify_output", **request, **claim | {"finish_reason": "bored"})["code"] == "bad_params"
