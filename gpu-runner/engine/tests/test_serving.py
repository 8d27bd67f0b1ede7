"""One scheduler, many adapters: who shares a batch must not show in an answer, and memory stays bounded."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from serving_base import Served, quiet
from serving_models import make_adapter, make_base

from openledger_engine.errors import EngineError
from openledger_engine.serving import bases
from openledger_engine.serving.host_cache import HostCache
from openledger_engine.serving.load_adapter import UnloadAdapterParams, unload_adapter
from openledger_engine.serving.sampling import Sampling
from openledger_engine.serving.sequence import Sequence
from openledger_engine.serving.waiting import WaitingRequests

ADAPTERS = 6
SLOTS = 3


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Three slots, four rows, eight waiting: small enough that every limit is met."""
    folder = tmp_path_factory.mktemp("serving")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("ADAPTER_SLOTS", SLOTS), ("BATCH_ROWS", 4), ("QUEUE_SIZE", 40), ("PREFILL_TOKENS", 16)):
            patch.setenv(f"OPENLEDGER_ENGINE_{name}", str(value))
        served = Served(make_base("llama", folder / "base"))
    for seed in range(ADAPTERS):
        rank = 2 + 3 * seed
        served.add(make_adapter(folder / "base", folder / str(seed), seed, r=rank), folder / str(seed))
    yield served


def requests(served: Served, count: int, seed: int) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    names = [None, *served.adapters]
    return [
        {
            "prompt": "".join(rng.choice("abc def. ") for _ in range(rng.randrange(1, 120))),
            "max_tokens": rng.randrange(1, 24),
            "temperature": rng.choice((0.0, 0.7, 1.3)),
            "top_p": rng.choice((1.0, 0.9)),
            "top_k": rng.choice((0, 12)),
            "repetition_penalty": rng.choice((1.0, 1.2)),
            "frequency_penalty": rng.choice((0.0, 0.5)),
            "seed": rng.randrange(1 << 40),
            **({"adapter": name} if (name := rng.choice(names)) else {}),
        }
        for _ in range(count)
    ]


def test_an_answer_does_not_show_who_shared_its_batch(served: Served) -> None:
    work = requests(served, 24, 1)
    alone = [served.say(**request) for request in work]
    release = served.hold()
    together = [served.start(**request) for request in work]
    release.set()
    assert [later.result(timeout=120) for later in together] == alone


def test_residents_are_bounded_and_the_longest_unused_one_goes(served: Served) -> None:
    pool = served.base.adapters
    for adapter in served.adapters:
        served.say(prompt="a", adapter=adapter, max_tokens=1)
    stats = pool.stats()
    assert stats["resident"] == SLOTS and stats["registered"] == ADAPTERS and stats["evictions"] >= ADAPTERS - SLOTS
    loads = pool.cold_load_count
    evicted = stats["evictions"]
    served.say(prompt="a", adapter=served.adapters[-1], max_tokens=1)
    assert pool.stats()["evictions"] == evicted
    served.say(prompt="a", adapter=served.adapters[0], max_tokens=1)  # from main memory: no cold load
    assert pool.stats()["evictions"] == evicted + 1 and pool.cold_load_count == loads


def test_main_memory_is_bounded(served: Served) -> None:
    files = [served.base.adapters.find(adapter) for adapter in served.adapters]
    most = files[-1].bytes + files[-2].bytes
    host = HostCache(most)
    for file in [*files, *files]:
        assert set(host.get(file)) == set(file.scales)
        assert host.bytes <= most and file.sha256 in host
    host.drop(files[-1].sha256)
    assert files[-1].sha256 not in host and len(host) >= 1


def test_pinned_ones_stay(served: Served) -> None:
    pool, pinned = served.base.adapters, served.adapters[1]
    pool.register(pool.find(pinned), pinned=True)
    for adapter in (pinned, *(other for other in served.adapters if other != pinned)):
        served.say(prompt="a", adapter=adapter, max_tokens=1)
    evicted = pool.evictions
    served.say(prompt="a", adapter=pinned, max_tokens=1)
    assert pool.evictions == evicted
    pool.register(pool.find(served.adapters[2]), pinned=True)
    with pytest.raises(EngineError, match="one slot has to stay free"):
        pool.register(pool.find(served.adapters[3]), pinned=True)
    for adapter in served.adapters[1:3]:
        pool.register(pool.find(adapter), pinned=False)


def test_more_adapters_than_slots_at_once_take_turns(served: Served) -> None:
    """Every slot is in use, so the fourth adapter waits until a row of another one ends; none is evicted meanwhile."""
    release = served.hold()
    answers = [served.start(prompt="a b c", adapter=name, max_tokens=12) for name in served.adapters * 3]
    release.set()
    for later, name in zip(answers, served.adapters * 3, strict=True):
        assert later.result(timeout=120) == served.say(prompt="a b c", adapter=name, max_tokens=12)


def test_a_full_queue_says_so_and_changes_nothing(served: Served) -> None:
    release = served.hold()
    waiting = [served.start(prompt="a", max_tokens=1) for _ in range(40)]
    with pytest.raises(EngineError) as refused:
        served.start(prompt="a", max_tokens=1)
    assert refused.value.code == "overloaded"
    release.set()
    assert len({later.result(timeout=120)["text"] for later in waiting}) == 1


def test_waiting_and_running_requests_can_be_called_off(served: Served) -> None:
    release = served.hold()
    jobs = [quiet() for _ in range(12)]
    answers = [served.start(job, prompt="a b", max_tokens=100) for job in jobs]
    for job in jobs[8:]:
        job.cancelled.set()
    release.set()
    for later in answers[8:]:
        with pytest.raises(EngineError, match="before it began"):
            later.result(timeout=120)
    for job in jobs[:8]:
        job.cancelled.set()
    outcomes = [later.exception(timeout=120) for later in answers[:8]]
    assert all(getattr(error, "code", None) == "cancelled" for error in outcomes)
    assert served.say(prompt="a", max_tokens=1)["completion_tokens"] == 1


def test_a_failing_pass_ends_its_rows_and_nothing_else(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = served.base.adapters
    request: dict[str, Any] = {"prompt": "a b", "max_tokens": 4, "adapter": served.adapters[0]}
    wanted = served.say(**request)
    with monkeypatch.context() as patch:

        def fail(_: list[int]) -> None:
            raise MemoryError

        patch.setattr(pool, "select", fail)
        with pytest.raises(EngineError) as failed:
            served.say(**request)
        assert failed.value.code == "out_of_memory"
        patch.undo()
        patch.setattr(served.base.scheduler, "_admit", fail)  # a fault of the scheduler itself
        with pytest.raises(EngineError):
            served.say(**request)
    assert served.say(**request) == wanted
    assert pool.stats()["resident"] >= 1


def test_an_adapter_taken_away_ends_no_running_answer(served: Served) -> None:
    name = served.adapters[4]
    file = served.base.adapters.find(name)
    wanted = served.say(prompt="a b", adapter=name, max_tokens=40)
    told: list[str] = []
    job = quiet()

    def first(event: str, data: dict[str, Any]) -> None:
        if not told:
            unload_adapter(UnloadAdapterParams(name), job)
        told.append(data["text"])

    job.emit = first  # type: ignore[method-assign]
    assert served.start(job, prompt="a b", adapter=name, max_tokens=40).result(timeout=120) == wanted
    with pytest.raises(EngineError, match="not loaded"):
        served.start(prompt="a b", adapter=name)
    served.base.adapters.register(file, pinned=False)


def test_the_longest_context_is_served_in_chunks(served: Served) -> None:
    words = "word " * 250
    kept = served.base.tokenizer(words)["input_ids"][: served.base.context_length - 4]
    prompt = served.base.tokenizer.decode(kept)
    answer = served.say(prompt=prompt, max_tokens=1000)
    assert answer["prompt_tokens"] + answer["completion_tokens"] <= served.base.context_length
    assert served.verify(answer, prompt=prompt, max_tokens=1000)["agrees"]


def test_a_sliding_window_bounds_the_context(tmp_path: Path) -> None:
    served = bases.serve("0" * 64, make_base("mistral", tmp_path))
    assert served.context_length == bases.longest_context(served.model) == 128


def test_what_cannot_share_a_batch_is_refused_with_the_reason(served: Served, tmp_path: Path) -> None:
    good = served.base.adapters.find(served.adapters[0]).path.parent

    def refusal(change: dict[str, Any]) -> str:
        folder = tmp_path / "changed"
        shutil.copytree(good, folder)
        config = json.loads((folder / "adapter_config.json").read_text("utf-8"))
        (folder / "adapter_config.json").write_text(json.dumps(config | change), "utf-8")
        with pytest.raises(EngineError) as refused:
            Served.add(served, served.adapters[0], folder)
        shutil.rmtree(folder)
        assert refused.value.code == "unknown_adapter"
        return refused.value.message

    changes: list[dict[str, Any]] = [
        {"use_dora": True}, {"modules_to_save": ["lm_head"]}, {"bias": "all"}, {"lora_bias": True},
        {"target_parameters": ["experts.up"]}, {"init_lora_weights": "pissa_niter_4"},
    ]
    for change in changes:
        assert next(iter(change)) in refusal(change)
    assert "not a LoRA" in refusal({"peft_type": "IA3"})


def test_an_adapter_of_another_base_is_refused(served: Served, tmp_path: Path) -> None:
    other = make_base("gpt2", tmp_path / "gpt2")
    sha256 = make_adapter(other, tmp_path / "adapter", 1)
    with pytest.raises(EngineError, match="has no linear layer"):
        served.add(sha256, tmp_path / "adapter")


def test_a_file_changed_since_it_was_registered_is_not_served(served: Served, tmp_path: Path) -> None:
    folder = tmp_path / "changing"
    sha256 = make_adapter(Path(served.base.adapters.find(served.adapters[0]).path).parents[1] / "base", folder, 77)
    served.add(sha256, folder)
    weights = folder / "adapter_model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(EngineError, match="changed on disk"):
        served.start(prompt="a", adapter=sha256)
    unload_adapter(UnloadAdapterParams(served.adapters.pop()), quiet())


def test_turns_go_round_the_adapters() -> None:
    def asks(adapter: str) -> Sequence:
        return Sequence([1], 1, adapter, Sampling(), frozenset(), lambda *_: False)

    waiting = WaitingRequests()
    for adapter in "aaaaabbc":
        waiting.push(asks(adapter))
    served_order = []
    while waiting:
        one = waiting.next_in_turn()[0]
        waiting.remove(one)
        served_order.append(one.adapter)
    assert "".join(map(str, served_order)) == "abcabaaa"
