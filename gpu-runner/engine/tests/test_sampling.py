"""The rule of choice: independent of numpy's or torch's generators, and checked against a plain restatement."""

from __future__ import annotations

import hashlib
import math
import random
from typing import Any

import pytest

from openledger_engine.serving.check_choice import check_choice
from openledger_engine.serving.sampling import Sampling, adjust, choose, uniform


def restated(logits: list[float], s: Sampling, position: int) -> int:
    """The rule as docs/spec/engine-protocol.md says it, with Python's numbers."""
    weights = [math.exp((z - max(logits)) / s.temperature) for z in logits]
    ranked = sorted(((w / sum(weights), -i) for i, w in enumerate(weights)), reverse=True)
    if s.top_k:
        ranked = ranked[: s.top_k]
    ranked = [(p, i) for p, i in ranked if p >= s.min_p * ranked[0][0]]
    total, before, kept = sum(p for p, _ in ranked), 0.0, []
    for p, i in ranked:
        if s.top_p < 1 and kept and before >= s.top_p * total:
            break
        kept.append((p, -i))
        before += p
    digest = hashlib.sha256(b"openledger-sampling-0" + s.seed.to_bytes(8, "big") + position.to_bytes(8, "big")).digest()
    mark = (int.from_bytes(digest[:8], "big") >> 11) / 2**53 * sum(p for p, _ in kept)
    for p, i in kept:
        mark -= p
        if mark < 0:
            return i
    return kept[-1][1]


def some_sampling(rng: random.Random) -> Sampling:
    return Sampling(
        temperature=rng.choice((0.3, 1.0, 2.5)),
        top_p=rng.choice((1.0, 0.9, 0.5, 0.0)),
        top_k=rng.choice((0, 1, 7, 40)),
        min_p=rng.choice((0.0, 0.0, 0.05)),
        seed=rng.randrange(1 << 63),
    )


def test_the_rule_is_the_written_one() -> None:
    import torch

    rng = random.Random(2)
    for _ in range(60):
        count = rng.randrange(1, 6)
        samplings = [some_sampling(rng) for _ in range(count)]
        positions = [rng.randrange(1000) for _ in range(count)]
        logits = torch.tensor([[rng.gauss(0, 3) for _ in range(50)] for _ in range(count)])
        wanted = [restated(row, s, p) for row, s, p in zip(logits.tolist(), samplings, positions, strict=True)]
        assert choose(logits, samplings, positions) == wanted


def test_the_numbers_are_published() -> None:
    """Values that docs/spec/engine-protocol.md states."""
    assert uniform(0, 0) == 0.4882074983867666
    assert uniform(42, 7) == 0.24067890631960043
    numbers = [uniform(9, t) for t in range(4000)]
    assert abs(sum(numbers) / 4000 - 0.5) < 0.02 and 0 <= min(numbers) < 0.01 and 0.99 < max(numbers) < 1


def test_the_best_is_the_lowest_id_among_equals() -> None:
    import torch

    assert choose(torch.tensor([[1.0, 3.0, 3.0, 0.0]]), [Sampling()], [0]) == [1]


def test_draws_follow_the_probabilities() -> None:
    import torch

    logits = torch.log(torch.tensor([0.5, 0.3, 0.2]))
    draws = choose(logits.expand(3000, 3), [Sampling(temperature=1.0, seed=s) for s in range(3000)], [5] * 3000)
    for token, chance in enumerate((0.5, 0.3, 0.2)):
        assert abs(draws.count(token) / 3000 - chance) < 0.03


def test_penalties_and_biases() -> None:
    import torch

    logits = torch.tensor([2.0, -2.0, 4.0, 1.0, 0.0])
    s = Sampling(
        repetition_penalty=2.0, presence_penalty=0.5, frequency_penalty=0.25, logit_bias=((4, 100.0), (3, -1.0))
    )
    changed = adjust(logits, s, prompt=[0, 1], output=[2, 2, 2])
    assert changed.tolist() == [1.0, -4.0, 2.0 - 0.5 - 0.75, 0.0, 100.0]
    assert logits.tolist() == [2.0, -2.0, 4.0, 1.0, 0.0]


@pytest.mark.parametrize("noise", [1e-6, 1e-4, 1e-2])
def test_an_honest_choice_on_slightly_other_logits_is_accepted(noise: float) -> None:
    """Ties, cuts and all: whatever logits within the tolerance lead to must pass."""
    import torch

    rng = random.Random(noise)
    torch.manual_seed(3)
    for trial in range(400):
        s = some_sampling(rng) if trial % 8 else Sampling()
        logits = torch.randn(60) * rng.choice((0.0, 0.01, 1.0, 4.0))
        theirs = logits + (torch.rand(60) * 2 - 1) * noise
        token = choose(theirs[None], [s], [trial])[0]
        assert check_choice(logits, token, s, trial, noise * 1.001).agrees, (trial, s)


def test_other_tokens_are_rejected() -> None:
    import torch

    torch.manual_seed(4)
    rng, passed = random.Random(6), 0
    for trial in range(300):
        s = some_sampling(rng) if trial % 3 else Sampling()
        logits: Any = torch.randn(60) * 2
        token = choose(logits[None], [s], [trial])[0]
        other = rng.choice([t for t in range(60) if t != token])
        passed += check_choice(logits, other, s, trial, 1e-4).agrees
        assert check_choice(logits, token, s, trial, 0.0).agrees
    assert passed <= 2  # one that lies at the very edge of the number may pass
