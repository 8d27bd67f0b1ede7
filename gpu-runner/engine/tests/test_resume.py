"""A killed run goes on from its checkpoint as if nothing had happened; several processes do what one does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tiny
from driver import Engine, files
from peft import PeftModel

from openledger_engine.evaluation.losses import mean_loss, to_rows
from openledger_engine.methods import Job
from openledger_engine.models.load import load_model, load_tokenizer
from openledger_engine.training.rows import TrainFile, in_order, read_rows

LISTED = in_order(TrainFile(f["contribution_id"], f["path"], f["format"]) for f in files()[:2])
PARAMS: dict[str, Any] = {
    "epochs": 8, "max_length": 64, "batch_size": 4, "rank": 4, "learning_rate": 5e-3, "dropout": 0.1, "checkpoint_steps": 5,
    "max_steps": 40, "validation_steps": 10, "replay_share": 0.1,
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.make("llama", tmp_path_factory.mktemp("base"))


def request(small: Path, output: Path, **params: Any) -> dict[str, Any]:
    return {"base": str(small), "files": files()[:2], "params": PARAMS | params, "output": str(output), "suites": []}


@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_a_killed_run_ends_with_the_same_curve_and_weights(engine: Engine, small: Path, tmp_path: Path, method: str) -> None:
    whole = engine.result("train", **request(small, tmp_path / "whole", method=method))
    victim = Engine()
    victim.start("train", **request(small, tmp_path / "killed", method=method))
    while (frame := victim.read()).get("event") != "progress" or frame["data"]["step"] < 23:
        assert "error" not in frame, frame
    victim.process.kill()
    victim.close()
    assert [p.name for p in (tmp_path / "killed" / "checkpoint").glob("*.safetensors")] == ["state.safetensors"]

    resumed = engine.result("train", **request(small, tmp_path / "killed", method=method))
    assert resumed["resumed_from_step"] in (20, 25) and whole["resumed_from_step"] == 0
    for name in ("loss_curve", "validation_curve", "weights_sha256", "config_sha256", "tokens_by_contribution", "evaluations"):
        assert resumed[name] == whole[name], name
    assert not (tmp_path / "killed" / "checkpoint").exists()


def test_a_cancelled_run_keeps_its_place(engine: Engine, small: Path, tmp_path: Path) -> None:
    number = engine.start("train", **request(small, tmp_path, checkpoint_steps=0))
    while (frame := engine.read()).get("event") != "progress" or frame["data"]["step"] < 3:
        pass
    last = frame["data"]["step"]
    engine.send({"id": number, "cancel": True})
    while "error" not in (frame := engine.read()):
        last = frame["data"]["step"]
    assert frame["error"]["code"] == "cancelled"
    resumed = engine.result("train", **request(small, tmp_path, checkpoint_steps=0))
    assert resumed["resumed_from_step"] == last >= 3


def test_a_checkpoint_of_another_record_or_a_damaged_one_is_removed(engine: Engine, small: Path, tmp_path: Path) -> None:
    def cancelled_after(steps: int) -> None:
        number = engine.start("train", **request(small, tmp_path))
        while (frame := engine.read()).get("event") != "progress" or frame["data"]["step"] < steps:
            pass
        engine.send({"id": number, "cancel": True})
        while "error" not in engine.read():
            pass

    cancelled_after(6)
    other = engine.result("train", **request(small, tmp_path, seed=1, max_steps=6))
    assert other["resumed_from_step"] == 0 and not (tmp_path / "checkpoint").exists()
    cancelled_after(6)
    state = tmp_path / "checkpoint" / "state.safetensors"
    for damage in (b"\x80\x02}q\x00.", state.read_bytes()[:-100]):
        state.parent.mkdir(exist_ok=True)
        state.write_bytes(damage)
        assert engine.result("train", **request(small, tmp_path, max_steps=1))["resumed_from_step"] == 0


def test_early_stopping_keeps_the_best_adapter(engine: Engine, small: Path, tmp_path: Path) -> None:
    """Neither depends on which way a machine's rounding sends the run: no fall is enough to count, and the end is not the best."""
    stopped = engine.result("train", **request(small, tmp_path / "stopped", patience=2, min_delta=10.0, validation_steps=2))
    assert stopped["stopped_early"] and stopped["steps"] == 2 + 2 * 2 and stopped["best_step"] == 2
    wild = {"learning_rate": 0.1, "scheduler": "constant", "patience": 100, "validation_steps": 2}
    whole = engine.result("train", **request(small, tmp_path / "whole", **wild))
    assert not whole["stopped_early"] and whole["steps"] == 40
    validation = [row.text for row in read_rows(LISTED, 1000, 500) if row.part == "validation"]
    rows = to_rows(load_tokenizer(small), validation, 256)
    for name, result in (("stopped", stopped), ("whole", whole)):
        looks = {look["step"]: look["loss"] for look in result["validation_curve"]}
        if name == "whole":
            assert result["best_step"] == min(looks, key=lambda step: looks[step])
        # The kept adapter is the one that the best look saw, so it has that look's loss on the rows set aside.
        model = PeftModel.from_pretrained(load_model(small, "float32"), str(tmp_path / name)).eval()
        assert mean_loss(model, rows, Job(lambda *_: None)) == pytest.approx(looks[result["best_step"]], abs=1e-6)


def test_two_processes_follow_the_curve_of_one(engine: Engine, small: Path, tmp_path: Path) -> None:
    params = {"max_steps": 6, "dropout": 0.0, "batch_size": 2, "gradient_accumulation": 2, "checkpoint_steps": 0}
    alone = engine.result("train", **request(small, tmp_path / "one", **params))
    pair = Engine(OPENLEDGER_ENGINE_PROCESSES="2", OPENLEDGER_ENGINE_THREADS="1")
    together = pair.call("train", **request(small, tmp_path / "two", **params))
    pair.close()
    assert "result" in together, together
    found = together["result"]
    losses = [[row["loss"] for row in result["loss_curve"]] for result in (alone, found)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)
    assert found["tokens_by_contribution"] == alone["tokens_by_contribution"]
    assert [frame["data"]["step"] for frame in together["events"] if frame["event"] == "progress"] == [1, 2, 3, 4, 5, 6]
    assert json.loads((tmp_path / "two" / "record.json").read_text())["engine"]["processes"] == 2
