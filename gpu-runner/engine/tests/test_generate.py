from __future__ import annotations

import hashlib
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from driver import BASE, Engine, files

from openledger_engine.serving.chat import render
from openledger_engine.serving.decoding import TextStream


@pytest.fixture(scope="module")
def adapter(engine: Engine, base: str, trained: dict[str, Any]) -> str:
    loaded = engine.result("load_adapter", adapter=trained["weights_sha256"], path=str(trained["folder"]), base=base)
    assert loaded == {"adapter": trained["weights_sha256"], "rank": 8}
    return str(loaded["adapter"])


def test_the_pieces_are_the_text(engine: Engine, base: str) -> None:
    frame = engine.call("generate", base=base, prompt="The server", max_tokens=40, temperature=1.5, seed=9)
    result = frame["result"]
    assert "".join(event["data"]["text"] for event in frame["events"]) == result["text"]
    assert result["completion_tokens"] == len(result["output_token_ids"]) <= 40
    assert result["output_sha256"] == hashlib.sha256(result["text"].encode()).hexdigest()
    assert result["prompt_sha256"] == hashlib.sha256(b"The server").hexdigest()


def test_a_loaded_base_tells_what_it_computes_with(engine: Engine) -> None:
    loaded = engine.result("load_base", model=str(BASE))
    device = engine.result("hello")["device"]
    assert loaded["numerics"].split("-")[0] == device and (device == "cuda" or loaded["numerics"] == "cpu-float32")


def test_the_seed_decides(engine: Engine, base: str) -> None:
    def text(**params: Any) -> str:
        return str(engine.result("generate", base=base, prompt="A person", max_tokens=24, **params)["text"])

    assert text(temperature=1.0, seed=1) == text(temperature=1.0, seed=1)
    assert text(temperature=1.0, seed=1) != text(temperature=1.0, seed=2)
    assert text(temperature=0.0, seed=1) == text(temperature=0.0, seed=2) == text(temperature=1.0, top_p=0.0, seed=3)


def test_stop_strings_and_length(engine: Engine, base: str) -> None:
    request: dict[str, Any] = {"base": base, "prompt": "The function returns", "max_tokens": 40}
    whole = engine.result("generate", **request)
    assert whole["finish_reason"] == "length"
    stop = whole["text"][10:14]
    cut = engine.call("generate", **request, stop=[stop, ""])
    assert cut["result"]["finish_reason"] == "stop"
    assert cut["result"]["text"] == whole["text"][: whole["text"].index(stop)]
    assert "".join(event["data"]["text"] for event in cut["events"]) == cut["result"]["text"]


def test_a_chat_goes_through_the_template(engine: Engine, base: str) -> None:
    messages = [{"role": "user", "content": "What does it mean to walk?"}]
    chat = engine.result("generate", base=base, messages=messages, max_tokens=4)
    prompt = "<|endoftext|>Question: What does it mean to walk?\nAnswer:"
    assert chat["prompt_sha256"] == hashlib.sha256(prompt.encode()).hexdigest()
    assert engine.error("generate", base=base, messages=messages, prompt="both")["code"] == "bad_params"
    assert engine.error("generate", base=base)["code"] == "bad_params"
    assert engine.error("generate", base=base, messages=[{"role": "king", "content": "x"}])["code"] == "bad_params"
    assert engine.error("generate", base=base, prompt="word " * 600)["details"]["name"] == "prompt"


def test_the_plain_template_where_a_model_has_none() -> None:
    class Bare:
        chat_template = None

    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]
    assert render(Bare(), messages) == "System: Be brief.\nUser: Why?\nAssistant:"


def test_adapters_change_the_answer_and_the_base_stays(engine: Engine, base: str, adapter: str, tmp_path: Path) -> None:
    request: dict[str, Any] = {"base": base, "prompt": "The warden", "max_tokens": 12}
    plain = engine.result("generate", **request)
    tuned = engine.result("generate", **request, adapter=adapter)
    assert tuned["text"] != plain["text"]

    params = {"max_steps": 4, "max_length": 64, "rank": 4, "seed": 7, "learning_rate": 5e-3, "replay_share": 0.0}
    other = engine.result("train", base=str(BASE), files=files()[2:3], params=params, output=str(tmp_path / "other"), suites=[])
    name = other["weights_sha256"]
    assert engine.result("load_adapter", adapter=name, path=other["output"], base=base)["rank"] == 4
    second = engine.result("generate", **request, adapter=name)
    assert second["text"] not in (plain["text"], tuned["text"])
    assert engine.result("generate", **request, adapter=adapter)["output_token_ids"] == tuned["output_token_ids"]
    assert engine.result("generate", **request)["output_token_ids"] == plain["output_token_ids"]

    assert engine.result("unload_adapter", adapter=name) == {}
    assert engine.error("generate", **request, adapter=name)["code"] == "unknown_adapter"
    assert engine.result("generate", **request, adapter=adapter)["output_token_ids"] == tuned["output_token_ids"]


def test_an_adapter_is_loaded_by_its_hash_only(
    engine: Engine, base: str, trained: dict[str, Any], tmp_path: Path
) -> None:
    request: dict[str, Any] = {"base": base, "path": str(trained["folder"])}
    assert engine.error("load_adapter", adapter="0" * 64, **request)["code"] == "bad_params"
    copy = tmp_path / "copy"
    shutil.copytree(trained["folder"], copy)
    (copy / "adapter_model.safetensors").rename(copy / "adapter_model.bin")
    error = engine.error("load_adapter", adapter=trained["weights_sha256"], base=base, path=str(copy))
    assert error["code"] == "bad_file" and error["details"]["reason"] == "not_safetensors"
    missing = engine.error("load_adapter", adapter="0" * 64, base=base, path=str(tmp_path / "none"))
    assert missing["code"] == "unknown_adapter"


def test_generation_can_be_cancelled(engine: Engine, base: str) -> None:
    request = engine.start("generate", base=base, prompt="The", max_tokens=480, temperature=1.0)
    assert engine.read()["event"] == "token"
    engine.send({"id": request, "cancel": True})
    while "event" in (frame := engine.read()):
        pass
    assert frame["error"]["code"] == "cancelled" or frame["result"]["finish_reason"] == "stop"


def test_the_answer_is_traced_to_its_contribution(engine: Engine, base: str, tmp_path: Path) -> None:
    index = str(tmp_path / "index")
    built = engine.result("index_corpus", index=index, base=base, files=files())
    assert built["contributions"] == 6 and built["tokens"] > 5000
    changed = (tmp_path / "index" / "index.json").stat().st_mtime_ns
    assert engine.result("index_corpus", index=index, base=base, files=files()) == built
    assert (tmp_path / "index" / "index.json").stat().st_mtime_ns == changed  # reused, not written again
    answer = "Feeder two is always the last feeder to be opened and the first feeder to be closed."
    said = engine.result("attribute", index=index, prompt_text="Which feeder is last?", output_text=answer)
    assert said["method"] == "evidence-0" and said["rows"] == [{"contribution_id": "1", "weight": (1 << 32) - 1}]
    span = said["spans"][0]
    assert answer.encode()[span["output_start"] : span["output_end"]].decode() == answer[:-1]
    smaller = engine.result("index_corpus", index=index, base=base, files=files()[1:])
    assert smaller["root"] != built["root"]
    assert engine.result("attribute", index=index, prompt_text="", output_text=answer)["rows"] == []
    twice = engine.error("index_corpus", index=index, base=base, files=files()[:1] * 2)
    assert twice["code"] == "bad_params"


def test_streams_split_characters_and_stop_strings_anywhere() -> None:
    """Every byte a token: characters of up to four bytes arrive in parts, stop strings too."""
    rng = random.Random(4)
    for _ in range(200):
        text = "".join(rng.choice("aé€😀 \nEND") for _ in range(rng.randrange(1, 30)))
        stream = TextStream(lambda ids: bytes(ids).decode("utf-8", "replace"), ("END", "\n\n"))
        pieces = []
        for byte in text.encode():
            pieces.append(stream.push(byte))
            if stream.stopped:
                break
        else:
            pieces.append(stream.finish())
        ends = [at for at in (text.find("END"), text.find("\n\n")) if at >= 0]
        assert "".join(pieces) == stream.text == (text[: min(ends)] if ends else text)
        assert all("\ufffd" not in piece for piece in pieces)


def test_requests_share_the_engine_and_answer_when_they_end(engine: Engine, base: str) -> None:
    """The short ones that came later end first; every event belongs to one of them."""
    long = engine.start("generate", base=base, prompt="The", max_tokens=200, logit_bias={"0": -100.0})
    short = [engine.start("generate", base=base, prompt=f"Line {n}", max_tokens=2) for n in range(6)]
    ended, told = [], dict.fromkeys([long, *short], "")
    while len(ended) < 7:
        frame = engine.read()
        if "event" in frame:
            told[frame["id"]] += frame["data"]["text"]
        else:
            assert frame["result"]["text"] == told[frame["id"]]
            ended.append(frame["id"])
    assert ended[-1] == long and set(ended) == {long, *short}
    stats = engine.result("serving_stats")["bases"][0]
    assert stats["base"] == base and stats["running"] == stats["waiting"] == 0 and stats["tokens_per_second"] > 0


def test_a_shutdown_ends_what_runs(fresh: Engine) -> None:
    base = fresh.result("load_base", model=str(BASE))["base"]
    running = fresh.start("generate", base=base, prompt="The", max_tokens=400, logit_bias={"0": -100.0})
    assert fresh.read()["event"] == "token"
    last = fresh.start("shutdown")
    frames = []
    while not frames or frames[-1]["id"] != last:
        frames.append(fresh.read())
    assert [f["error"]["code"] for f in frames if f["id"] == running and "event" not in f] == ["cancelled"]
    assert fresh.process.wait(20) == 0


def test_log_probabilities_are_the_models_own(engine: Engine, base: str) -> None:
    request: dict[str, Any] = {"base": base, "prompt": "The server", "max_tokens": 12, "logprobs": 3}
    frame = engine.call("generate", **request)
    entries = frame["result"]["logprobs"]
    assert [entry["id"] for entry in entries] == frame["result"]["output_token_ids"]
    assert [e for event in frame["events"] for e in event["data"].get("logprobs", [])] == entries
    for entry in entries:
        assert entry["top"][0]["id"] == entry["id"] and entry["top"][0]["logprob"] == entry["logprob"] <= 0
        assert [one["logprob"] for one in entry["top"]] == sorted((o["logprob"] for o in entry["top"]), reverse=True)
    changed = engine.result("generate", **request | {"temperature": 2.0, "presence_penalty": 2.0, "seed": 5})
    assert changed["logprobs"][0]["top"][0]["logprob"] == entries[0]["logprob"]  # before temperature and penalties
    assert engine.error("generate", **request | {"logprobs": 21})["details"]["range"] == "0..20"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("logit_bias", {"0": 101}), ("logit_bias", {"99999": 1}), ("logit_bias", {"-1": 1}), ("logit_bias", {"0": True}),
        ("logit_bias", {str(n): 1 for n in range(1100)}), ("stop", ["x"] * 17), ("stop", ["x" * 2000]),
        ("top_k", -1), ("min_p", 1.5), ("repetition_penalty", 0.0), ("presence_penalty", 3.0),
    ],
)  # fmt: skip
def test_settings_out_of_range_are_refused(engine: Engine, base: str, name: str, value: Any) -> None:
    error = engine.error("generate", base=base, prompt="a", **{name: value})
    assert error["code"] == "bad_params" and error["details"]["name"] == name


def test_text_decoded_piece_by_piece_is_the_text() -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(BASE)
    rng = random.Random(12)
    for _ in range(60):
        ids = [rng.randrange(1, len(tokenizer)) for _ in range(rng.randrange(1, 60))]
        stream = TextStream(lambda row: tokenizer.decode(row, skip_special_tokens=True), ())
        pieces = [stream.push(token) for token in ids] + [stream.finish()]
        assert "".join(pieces) == tokenizer.decode(ids, skip_special_tokens=True)
