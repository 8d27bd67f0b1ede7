from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import tiny
from driver import BASE, ENGINE, Engine, files

from openledger_engine.settings import describe
from openledger_engine.training.config import TrainConfig

SMALL: dict[str, Any] = {"max_length": 128, "batch_size": 4, "epochs": 1, "replay_share": 0.1}


def test_the_estimate_foretells_the_run(engine: Engine, tmp_path: Path) -> None:
    request: dict[str, Any] = {"base": str(BASE), "files": files()[:2], "params": SMALL}
    told = engine.result("estimate", **request)
    run = engine.result("train", **request, output=str(tmp_path), suites=[])
    for name in ("steps", "dataset_root", "warnings"):
        assert told[name] == run[name], name
    assert told["train_tokens"] == run["train_tokens"]
    assert told["tokens_by_contribution"] == run["tokens_by_contribution"]
    from safetensors import safe_open

    with safe_open(tmp_path / "adapter_model.safetensors", "pt") as weights:
        assert told["trainable_parameters"] == sum(weights.get_tensor(name).numel() for name in weights.keys())
    assert told["seconds_low"] < told["seconds"] < told["seconds_high"]
    began = time.monotonic()
    assert engine.result("estimate", **request)["seconds"] == pytest.approx(told["seconds"])
    assert time.monotonic() - began < 5  # the timed steps are remembered
    assert {p.name for p in tmp_path.iterdir()} == {"adapter_model.safetensors", "adapter_config.json", "record.json"}


# Large enough to stand out from what Python and torch take themselves.
MEMORY: list[dict[str, Any]] = [
    {"batch_size": 16, "max_length": 512, "replay_share": 0.0},
    {"batch_size": 2, "max_length": 64, "method": "qlora", "replay_share": 0.0},
    {"batch_size": 1, "max_length": 512, "influence_lambda_bps": 0, "replay_share": 0.0},
]

PEAK = """
import json, resource, sys
sys.path[:0] = [sys.argv[1]]
from openledger_engine.methods import Job
from openledger_engine.settings import build
from openledger_engine.training.estimate import EstimateParams, memory_bytes, prepare
from openledger_engine.training.train import TrainParams, train
request = json.loads(sys.argv[2])
quiet = Job(lambda *_: None)
output = request.pop("output")
plan = prepare(build(EstimateParams, request), quiet)
told = memory_bytes(plan)
train(build(TrainParams, request | {"output": output, "suites": []}), quiet)
print(json.dumps([told, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024]))
"""


@pytest.mark.parametrize("params", MEMORY)
def test_memory_is_told_within_a_factor_of_two(params: dict[str, Any], tmp_path: Path) -> None:
    request = {"base": str(BASE), "files": files(), "params": params | {"max_steps": 1}, "output": str(tmp_path)}
    # The peak is of a training step; evaluation only takes time. Influence goes over all blocks, and needs held-out rows.
    request |= {"files": files()[:1], "heldout_share_bps": 500} if "influence_lambda_bps" in params else {"heldout_share_bps": 0}
    output = subprocess.run(
        [sys.executable, "-c", PEAK, str(ENGINE), json.dumps(request)], capture_output=True, text=True, check=True
    ).stdout
    told, peak = json.loads(output.splitlines()[-1])
    assert peak / 2 < told < peak * 2, (told, peak)


def test_warnings_name_what_is_odd(engine: Engine, tmp_path: Path) -> None:
    twice = [files()[0], files()[0] | {"contribution_id": "2"}]
    base = tiny.make("gpt2", tmp_path / "base")
    (base / "chat_template.jinja").unlink()
    odd = {"learning_rate": 0.05, "epochs": 50, "max_length": 64, "batch_size": 128, "patience": 3}
    told = engine.result("estimate", base=str(base), files=twice, params=odd, heldout_share_bps=500)
    found = {warning["code"]: warning.get("parameter") for warning in told["warnings"]}
    assert found == {
        "few_rows": "epochs", "duplicate_rows": None, "rows_cut": "max_length", "batch_too_large": "batch_size",
        "unusual_rate": "learning_rate", "few_held_out": None, "few_validation_rows": "patience", "no_chat_template": None,
    }
    calm = {"max_length": 256, "packing": False, "epochs": 3, "learning_rate": 1e-3, "batch_size": 4}
    wide = engine.result("estimate", base=str(BASE), files=files(), params=calm, heldout_share_bps=4000)
    assert wide["warnings"] == []


def test_the_table_is_whole() -> None:
    """Whatever a form needs, for every parameter."""
    for row in describe(TrainConfig):
        assert row["help"].endswith(".") and row["group"] and row["type"] in ("integer", "number", "text", "switch", "list")
        if row["type"] in ("integer", "number") and row["name"] != "seed":
            assert row["low"] < row["high"] and row["extremes"]["low"] and row["extremes"]["high"], row["name"]
            assert row["default"] is None and row["optional"] or row["low"] <= row["default"] <= row["high"]
    groups = [row["group"] for row in describe(TrainConfig)]
    assert groups == sorted(groups, key=groups.index)  # a group's rows stand together
