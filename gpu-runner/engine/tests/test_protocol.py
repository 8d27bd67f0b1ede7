from __future__ import annotations

import os
import struct
import subprocess
import sys
import time

import pytest
from driver import BASE, ENGINE, Engine, files

# Hundreds of short steps: a run that goes on until it is called off, and hears of it soon.
LONG = {"epochs": 100, "max_length": 64, "batch_size": 4, "replay_share": 0.0}


def test_hello_names_versions_and_the_parameters_of_training(engine: Engine) -> None:
    hello = engine.result("hello")
    assert hello["protocol"] == 1
    assert set(hello["versions"]) == {"python", "torch", "transformers", "peft", "tokenizers", "safetensors", "numpy"}
    rank = next(row for row in hello["train_params"] if row["name"] == "rank")
    assert rank["default"] == 8 and (rank["low"], rank["high"]) == (1, 256) and rank["help"] and rank["type"] == "integer"


def test_hello_answers_soon_after_the_start(fresh: Engine) -> None:
    began = time.monotonic()
    fresh.result("hello")
    assert time.monotonic() - began < 15  # about 3 s on an idle machine


def test_errors_have_codes(engine: Engine) -> None:
    assert engine.error("no_such_method")["code"] == "unknown_method"
    assert engine.error("generate", base="0" * 64, prompt="x")["code"] == "unknown_model"
    assert engine.error("load_base", model="/no/such/folder")["code"] == "unknown_model"
    assert engine.error("unload_adapter", adapter="0" * 64)["code"] == "unknown_adapter"
    missing = engine.error("attribute", index="/nowhere", prompt_text="", output_text="x")
    assert missing["code"] == "no_data"
    engine.send({"id": 99_999})
    assert engine.read()["error"]["code"] == "bad_request"


def test_parameters_are_checked_against_their_range(engine: Engine) -> None:
    def refused(**params: object) -> dict[str, object]:
        error = engine.error("train", base=str(BASE), files=files(), output="unused", params=params)
        assert error["code"] == "bad_params"
        return dict(error["details"])

    assert refused(rank=0) == {"name": "params.rank", "range": "1..256"}
    assert refused(rank=True)["name"] == "params.rank"
    assert refused(learning_rate=float("nan"))["name"] == "params.learning_rate"
    assert refused(scheduler="step") == {"name": "params.scheduler", "range": "cosine/linear/constant"}
    assert refused(colour="red")["name"] == "params.colour"
    assert refused(max_length=4096)["range"] == "8..512"
    assert refused(target_modules=["no_such_layer"], replay_share=0.0)["name"] == "params.target_modules"


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">I", 64 * 1024 * 1024 + 1),
        struct.pack(">I", 1) + b"\xc1",
        struct.pack(">I", 1) + b"\x05",
        struct.pack(">I", 2) + b"\x80\x80",
        struct.pack(">I", 1) + b"\x80",
        b"\x00\x00",
        struct.pack(">I", 9) + b"\x81",
    ],
    ids=["too long", "no msgpack", "no map", "two values", "no id", "cut length", "cut body"],
)
def test_a_malformed_frame_ends_the_process_with_2(fresh: Engine, data: bytes) -> None:
    fresh.write(data)
    assert fresh.process.stdin
    fresh.process.stdin.close()
    assert fresh.process.wait(20) == 2


def test_end_of_input_ends_the_process_with_0(fresh: Engine) -> None:
    assert fresh.process.stdin
    fresh.process.stdin.close()
    assert fresh.process.wait(20) == 0


def test_shutdown_cancels_what_runs_and_answers_last(fresh: Engine, tmp_path: object) -> None:
    train = fresh.start("train", base=str(BASE), files=files(), output=str(tmp_path), params=LONG)
    while fresh.read().get("event") != "progress":
        pass
    last = fresh.start("shutdown")
    answers = {}
    while last not in answers:
        frame = fresh.read()
        if "event" not in frame:
            answers[frame["id"]] = frame
    assert answers[train]["error"]["code"] == "cancelled"
    assert answers[last]["result"] == {}
    assert fresh.process.wait(20) == 0


def test_cancel_ends_a_running_and_a_waiting_training(engine: Engine, tmp_path: object) -> None:
    running = engine.start("train", base=str(BASE), files=files(), output=str(tmp_path), params=LONG)
    waiting = engine.start("train", base=str(BASE), files=files(), output=str(tmp_path), params=LONG)
    engine.send({"id": waiting, "cancel": True})
    while (frame := engine.read())["id"] != waiting:
        pass
    assert frame["error"]["code"] == "cancelled"  # at once, not after the first one
    while engine.read().get("event") != "progress":
        pass
    began = time.monotonic()
    engine.send({"id": running, "cancel": True})
    while "event" in (frame := engine.read()):
        pass
    assert frame["id"] == running and frame["error"]["code"] == "cancelled"
    assert time.monotonic() - began < 10
    engine.send({"id": running, "cancel": True})  # too late: nothing happens
    assert engine.result("hello")["protocol"] == 1


def test_generation_goes_on_while_a_training_runs(engine: Engine, base: str, tmp_path: object) -> None:
    train = engine.start("train", base=str(BASE), files=files(), output=str(tmp_path), params=LONG)
    while engine.read().get("event") != "progress":
        pass
    answer = engine.start("generate", base=base, prompt="The database", max_tokens=8)
    order = []
    while answer not in order:
        frame = engine.read()
        if "event" not in frame:
            order.append(frame["id"])
    assert order == [answer]
    engine.send({"id": train, "cancel": True})
    while "event" in engine.read():
        pass


def test_more_memory_than_allowed_is_an_error_of_the_request_alone() -> None:
    code = (
        "from openledger_engine.runtime import limit_memory, torch_module\n"
        "from openledger_engine.errors import as_engine_error\n"
        "torch = torch_module()\n"
        "limit_memory()\n"
        "for size in (1 << 34, 1 << 20):\n"
        "    try:\n"
        "        print(torch.ones(size, dtype=torch.uint8).sum().item())\n"
        "    except BaseException as error:\n"
        "        print(as_engine_error(error).code)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ENGINE), "OPENLEDGER_ENGINE_MEMORY": str(4 << 30)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["out_of_memory", str(1 << 20)]
