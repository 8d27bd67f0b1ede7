from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from driver import BASE, Engine, files

from openledger_engine.evaluation.choices import continuations, general_tasks, wrong_answers
from openledger_engine.evaluation.paired import Measured, interval, verdict
from openledger_engine.evaluation.suites import forgetting
from openledger_engine.methods import Job
from openledger_engine.models.load import load_model, load_tokenizer
from openledger_engine.training.rows import TrainFile, read_rows

LISTED = [TrainFile(f["contribution_id"], f["path"], f["format"]) for f in files()]
QUIET = Job(lambda *_: None)


def measured(difference: float, spread: float, items: int = 200) -> Measured:
    chance = np.random.default_rng(1)
    base = np.abs(chance.normal(40, 10, items))
    return Measured(base, base + 10 * chance.normal(difference, spread, items), np.full(items, 10.0))


def test_the_interval_covers_the_true_difference_as_often_as_it_says() -> None:
    covered = 0
    for trial in range(60):
        chance = np.random.default_rng(trial)
        base = chance.normal(4, 1, 80)
        low, high = interval(Measured(base, base + chance.normal(0.3, 0.5, 80), np.ones(80)))
        covered += low <= 0.3 <= high
    assert covered >= 52  # 57 are expected; fewer than 52 has a chance under one in a hundred


def test_only_what_is_beyond_chance_and_trifle_counts_as_regressed() -> None:
    worse = verdict("general", "loss", measured(0.5, 0.5))
    assert worse["regressed"] and 0 < worse["difference_low_micros"] < 500_000 < worse["difference_high_micros"] + 100_000
    assert not verdict("general", "loss", measured(-0.5, 0.5))["regressed"]
    assert not verdict("general", "loss", measured(0.01, 0.01))["regressed"]  # certain, but a quarter of a percent
    assert not verdict("general", "loss", measured(0.3, 9.0, 20))["regressed"]  # large, but uncertain
    assert interval(measured(0.5, 0.5)) == interval(measured(0.5, 0.5))
    rows = [{"suite": "domain-choice", "regressed": True}, {"suite": "general", "regressed": False}]
    assert forgetting(rows) == {"regressed": False, "suites": []}
    assert forgetting([*rows, {"suite": "general-tasks", "regressed": True}]) == {"regressed": True, "suites": ["general-tasks"]}


def test_choices_are_built_from_the_rows_alone_and_repeat() -> None:
    texts = [row.text for row in read_rows(LISTED, 3000) if row.held_out]
    items = continuations(texts)
    assert items == continuations(texts) and len(items) > 12
    assert {item.answer for item in items} == {0, 1, 2, 3}
    for item in items:
        assert len(set(item.choices)) == 4 and f"{item.context}{item.choices[item.answer]}" in " ".join(" ".join(texts).split())
    assert continuations(texts[:3]) == []


def test_a_model_that_knows_the_answers_makes_no_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The likeliest continuation is taken: with a model that gives the right one a lower loss, none is wrong."""
    from openledger_engine.evaluation import choices

    items = list(general_tasks()[:8])
    right = {f"{item.context}{item.choices[item.answer]}" for item in items}
    tokenizer = load_tokenizer(BASE)

    def losses(wanted: bool) -> Any:
        return lambda _, candidates: [
            1.0 if (tokenizer.decode(ids, skip_special_tokens=True) in right) is wanted else 99.0 for ids, _ in candidates
        ]

    monkeypatch.setattr(choices, "_losses", losses(True))
    assert wrong_answers(None, tokenizer, items, 512, QUIET) == [0.0] * 8
    monkeypatch.setattr(choices, "_losses", losses(False))
    assert wrong_answers(None, tokenizer, items, 512, QUIET) == [1.0] * 8


def test_the_general_tasks_ask_something_and_the_shipped_base_knows_some() -> None:
    items = general_tasks()
    assert len(items) > 200 and all(len(set(item.choices)) == 4 for item in items)
    assert len({(item.context, item.choices) for item in items}) == len(items)
    some = list(items[::4])
    wrong = wrong_answers(load_model(BASE, "float32").eval(), load_tokenizer(BASE), some, 512, QUIET)
    assert sum(wrong) / len(some) < 0.75 - 0.02  # chance is 0.75; on all items it errs in 0.706


def test_evaluate_compares_with_the_base(engine: Engine, trained: dict[str, Any], tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    held = [row.text for row in read_rows(LISTED, 1000) if row.held_out]
    rows.write_text("".join(json.dumps({"text": text}) + "\n" for text in sorted(held)))
    request: dict[str, Any] = {"base": str(BASE), "rows_path": str(rows), "suites": ["domain-choice"]}
    found = engine.result("evaluate", adapter=str(trained["folder"]), **request)
    assert [row["suite"] for row in found["evaluations"]] == ["domain", "general", "domain-choice"]
    domain, wanted = found["evaluations"][0], trained["evaluations"][0]
    assert domain["count"] == wanted["count"] and found["forgetting"] == {"regressed": False, "suites": []}
    for name in ("base_micros", "model_micros"):  # the order of rows differs, so the last digit may
        assert abs(domain[name] - wanted[name]) <= 5
    choice = found["evaluations"][2]
    assert choice["metric"] == "error" and choice["count"] >= 8 and 0 <= choice["model_micros"] <= 1_000_000
    bare = engine.result("evaluate", **request)["evaluations"][0]
    assert bare["base_micros"] == bare["model_micros"] and bare["difference_high_micros"] == 0
    rows.write_text("{}\n")
    assert engine.error("evaluate", **request)["code"] == "bad_params"
    assert engine.error("evaluate", base=str(BASE), suites=["other"])["code"] == "bad_params"


TASK = """
task: openledger_doors
dataset_path: json
dataset_kwargs: {data_files: {test: DATA}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{context}}"
doc_to_choice: choices
doc_to_target: answer
metric_list: [{metric: acc}]
"""


def test_tasks_of_the_harness_run_where_it_is_installed(engine: Engine, trained: dict[str, Any], tmp_path: Path) -> None:
    request: dict[str, Any] = {"base": str(BASE), "adapter": str(trained["folder"]), "suites": [], "harness_path": str(tmp_path)}
    if importlib.util.find_spec("lm_eval") is None:
        error = engine.error("evaluate", harness_tasks=["openledger_doors"], **request)
        assert error["code"] == "bad_params" and error["details"]["name"] == "harness_tasks"
        return
    items = [{"context": i.context, "choices": [c.strip() for c in i.choices], "answer": i.answer} for i in general_tasks()[::20]]
    (tmp_path / "doors.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    (tmp_path / "doors.yaml").write_text(TASK.replace("DATA", str(tmp_path / "doors.jsonl")))
    row = engine.result("evaluate", harness_tasks=["openledger_doors"], **request)["evaluations"][-1]
    assert row["suite"] == "lm-eval/openledger_doors" and row["count"] == len(items) and row["metric"] == "error"
