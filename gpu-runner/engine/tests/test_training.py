from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from driver import BASE, Engine, files

from openledger_engine.models.weights_files import canonical_json
from openledger_engine.training.blocks import pack
from openledger_engine.training.config import TrainConfig
from openledger_engine.training.rows import TrainFile, part_of, read_rows, split_rows
from openledger_engine.training.schedule import planned_steps, rate_factor

LISTED = [TrainFile(f["contribution_id"], f["path"], f["format"]) for f in files()]


def test_the_result_tells_the_whole_run(trained: dict[str, Any]) -> None:
    progress = [frame["data"] for frame in trained["events"] if frame["event"] == "progress"]
    assert [p["step"] for p in progress] == list(range(1, 11)) and progress[0]["steps"] == 10
    assert [row["loss"] for row in trained["loss_curve"]] == [p["loss"] for p in progress]
    assert trained["steps"] == 10 and trained["final_loss"] == progress[-1]["loss"]
    assert sum(trained["tokens_by_contribution"].values()) == trained["train_tokens"] > 0
    assert set(trained["tokens_by_contribution"]) == {f["contribution_id"] for f in files()}
    domain, general = trained["evaluations"]
    assert domain["suite"] == "domain" and domain["model_micros"] < domain["base_micros"] and domain["count"] > 100
    assert domain["difference_low_micros"] < domain["difference_high_micros"] < 0 and not domain["regressed"]
    assert general["suite"] == "general" and general["count"] == 0 and not general["regressed"]
    assert trained["best_step"] == 10 and trained["resumed_from_step"] == 0 and not trained["stopped_early"]
    looks = [frame["data"] for frame in trained["events"] if frame["event"] == "validation"]
    assert trained["validation_curve"] == looks and looks[-1]["loss"] * 1e6 == pytest.approx(domain["model_micros"], abs=2)
    warned = [frame["data"] for frame in trained["events"] if frame["event"] == "warning"]
    assert trained["warnings"] == warned and "few_held_out" in {warning["code"] for warning in warned}


def test_the_adapter_is_a_peft_folder_that_names_no_path(trained: dict[str, Any]) -> None:
    folder: Path = trained["folder"]
    assert {p.name for p in folder.iterdir()} == {"adapter_config.json", "adapter_model.safetensors", "record.json"}
    weights = (folder / "adapter_model.safetensors").read_bytes()
    assert hashlib.sha256(weights).hexdigest() == trained["weights_sha256"]
    text = (folder / "adapter_config.json").read_text() + (folder / "record.json").read_text()
    assert str(BASE) not in text and str(folder) not in text


def test_the_adapters_configuration_is_canonical_and_bound_by_the_record(trained: dict[str, Any], base: str) -> None:
    data = (trained["folder"] / "adapter_config.json").read_bytes()
    record = json.loads((trained["folder"] / "record.json").read_bytes())
    assert record["adapter_config_sha256"] == hashlib.sha256(data).hexdigest()
    config = json.loads(data)
    assert canonical_json(config) == data and "peft_version" not in config
    assert config["base_model_name_or_path"] == f"sha256:{base}"
    assert config["target_modules"] == sorted(config["target_modules"]) and len(config["target_modules"]) > 1
    assert (config["r"], config["lora_alpha"]) == (record["params"]["rank"], record["params"]["alpha"])


def test_the_record_is_canonical_and_complete(trained: dict[str, Any], base: str) -> None:
    data = (trained["folder"] / "record.json").read_bytes()
    assert hashlib.sha256(data).hexdigest() == trained["config_sha256"]
    record = json.loads(data)
    assert json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == data
    assert record["base"] == base and record["parent_adapter"] is None and record["seed"] == 42
    assert record["params"]["learning_rate"] == 1e-2 and record["params"]["epochs"] == 3
    assert set(record["params"]) == set(TrainConfig.__dataclass_fields__)
    assert len(record["files"]) == 6 and len(record["data_root"]) == 64
    assert record["engine"]["versions"]["torch"]


def test_the_same_record_gives_the_same_weights(engine: Engine, trained: dict[str, Any], tmp_path: Path) -> None:
    """Even with the files listed the other way round, and with dropout."""
    again = engine.result(
        "train", base=str(BASE), files=files()[::-1], params=trained["params"], output=str(tmp_path / "again"), suites=[]
    )
    assert again["weights_sha256"] == trained["weights_sha256"]
    assert again["config_sha256"] == trained["config_sha256"]
    other = engine.result(
        "train", base=str(BASE), files=files(), params=trained["params"] | {"seed": 43, "max_steps": 2}, output=str(tmp_path / "other"),
        suites=[],
    )
    assert other["weights_sha256"] != trained["weights_sha256"]


def test_a_new_process_gives_the_same_weights(fresh: Engine, trained: dict[str, Any], tmp_path: Path) -> None:
    again = fresh.result("train", base=str(BASE), files=files(), params=trained["params"], output=str(tmp_path), suites=[])
    assert again["weights_sha256"] == trained["weights_sha256"]
    assert again["config_sha256"] == trained["config_sha256"]  # sets have another order there


def test_refining_starts_from_the_parent(engine: Engine, trained: dict[str, Any], tmp_path: Path) -> None:
    request: dict[str, Any] = {
        "base": str(BASE), "files": files(), "output": str(tmp_path), "parent_adapter": str(trained["folder"]), "suites": [],
    }
    child = engine.result("train", params={"max_steps": 2, "max_length": 128, "replay_share": 0.0}, **request)
    assert child["loss_curve"][0]["loss"] < trained["loss_curve"][0]["loss"]
    assert child["evaluations"][0]["base_micros"] == trained["evaluations"][0]["base_micros"]
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["parent_adapter"] == trained["weights_sha256"]
    assert record["params"]["learning_rate"] == 2e-3  # the default for a small model
    refused = engine.error("train", params={"rank": 16}, **request)
    assert refused["code"] == "bad_params" and refused["details"] == {"name": "rank", "range": "8"}


def test_gradient_accumulation_equals_a_large_batch(engine: Engine, tmp_path: Path) -> None:
    def first_losses(**params: int) -> list[float]:
        result = engine.result(
            "train", base=str(BASE), files=files()[:2], output=str(tmp_path), params={"max_steps": 2, "max_length": 64, "replay_share": 0.0} | params,
            suites=[],
        )
        return [row["loss"] for row in result["loss_curve"]]

    assert first_losses(batch_size=8) == pytest.approx(first_losses(batch_size=2, gradient_accumulation=4), abs=1e-4)


def test_what_the_base_wrote_counts_for_nobody(engine: Engine, trained: dict[str, Any], tmp_path: Path) -> None:
    """A quarter of the blocks by default; without it all of a step is the contributors'."""
    params = {"max_steps": 4, "max_length": 64, "batch_size": 4}
    run = engine.result("train", base=str(BASE), files=files(), params=params, output=str(tmp_path), suites=[])
    share = run["replay_tokens"] / (run["replay_tokens"] + run["train_tokens"])
    assert 0.1 < share < 0.4 and sum(run["tokens_by_contribution"].values()) == run["train_tokens"]
    assert trained["replay_tokens"] == 0
    assert sum(trained["tokens_by_contribution"].values()) == trained["train_tokens"]


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_learns_too(engine: Engine, tmp_path: Path, precision: str) -> None:
    params = {"precision": precision, "max_steps": 3, "max_length": 64, "scheduler": "constant", "replay_share": 0.0}
    result = engine.result("train", base=str(BASE), files=files()[:1], output=str(tmp_path), params=params, suites=[])
    assert result["final_loss"] < result["loss_curve"][0]["loss"] + 0.5


def test_bad_files_and_weights_are_refused(engine: Engine, tmp_path: Path) -> None:
    bad = [{"contribution_id": "1", "path": str(files()[0]["path"]), "format": "pdf"}]
    error = engine.error("train", base=str(BASE), files=bad, output=str(tmp_path))
    assert error["code"] == "bad_file" and error["details"]["reason"] == "wrong_type"
    assert engine.error("train", base=str(BASE), files=[], output=str(tmp_path))["code"] == "no_data"
    folder = tmp_path / "pickled"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "pytorch_model.bin").write_bytes(b"PK\x03\x04")
    assert engine.error("load_base", model=str(folder))["details"]["reason"] == "not_safetensors"
    (folder / "model.safetensors").write_bytes(b"\x80\x02}q\x00." + b"\0" * 40)
    assert engine.error("load_base", model=str(folder))["details"]["reason"] == "not_safetensors"
    assert engine.error("load_base", model=str(BASE), sha256="0" * 64)["code"] == "bad_params"


def test_held_out_rows_are_chosen_by_text_alone() -> None:
    rows = read_rows(LISTED, 1000)
    held = {row.text for row in rows if row.held_out}
    assert held and all(row.part == part_of(row.text, 1000) for row in rows)
    assert {row.text for row in read_rows(LISTED[::-1], 1000) if row.held_out} == held
    assert {row.text for row in read_rows(LISTED[:3], 1000) if row.held_out} <= held


def test_rows_keep_all_text() -> None:
    text = "A short one.\n\n" + "Many sentences follow here. " * 120 + "\n\nThe end."
    rows = split_rows(text)
    assert "".join("".join(rows).split()) == "".join(text.split())
    assert all(len(row) < 1700 for row in rows) and len(rows) > 3


def test_a_question_with_its_answer_is_a_row_by_itself() -> None:
    text = "Prose before.\n\nQuestion: Why?\nAnswer: Because.\n\nQuestion: When?\n\nAnswer: At noon.\n\nProse after."
    assert split_rows(text) == [
        "Prose before.", "Question: Why?\nAnswer: Because.", "Question: When?\nAnswer: At noon.", "Prose after."
    ]
    assert sum(row.turns is not None for row in read_rows(LISTED, 0)) == 24


class WordTokenizer:
    """A token a word: its length, plus ten."""

    bos_token_id, eos_token_id, pad_token_id = 1, 2, 0
    chat_template = None

    def __call__(self, text: str, **_: Any) -> dict[str, list[int]]:
        return {"input_ids": [len(word) + 10 for word in text.split()]}


def test_every_token_knows_its_contribution() -> None:
    rows = [row for row in read_rows(LISTED, 1000)]
    blocks = pack(rows, WordTokenizer(), TrainConfig(max_length=64))
    assert blocks.ids.shape == blocks.owners.shape and blocks.ids.shape[1] == 64
    for number, contribution in enumerate(blocks.contributions):
        words = sum(len(r.text.split()) for r in rows if r.contribution_id == contribution and not r.held_out)
        mine = blocks.ids[blocks.owners == number]
        assert int((mine > 2).sum()) == words
    assert (blocks.ids[blocks.owners < 0] == 0).all()


def test_schedules() -> None:
    config = TrainConfig(epochs=2, batch_size=4, warmup_ratio=0.1)
    assert planned_steps(config, 10) == 6
    assert planned_steps(TrainConfig(max_steps=2), 1000) == 2
    factors = [rate_factor(config, step, 100) for step in range(100)]
    assert factors[0] < factors[9] <= 1 and factors[10] == 1 and factors[99] < 0.01
    assert rate_factor(TrainConfig(scheduler="constant"), 99, 100) == 1
