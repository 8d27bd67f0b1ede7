"""Folders that a stranger made: nothing in them runs, and each is refused with what is wrong."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest
from driver import BASE, Engine, files


class Mark:
    """A pickle of this writes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.write_text, (self.path, "ran")


CODE = "from pathlib import Path\nPath({path!r}).write_text('ran')\nclass Own: pass\n"


def copied(source: Path, folder: Path) -> Path:
    shutil.copytree(source, folder)
    return folder


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def refused(engine: Engine, base: Path, output: Path, **more: Any) -> list[dict[str, Any]]:
    """The errors of everything that opens the folder."""
    train = {"base": str(base), "files": files()[:1], "params": {"max_steps": 1, "max_length": 64}}
    return [
        engine.error("train", output=str(output), suites=[], **train, **more),
        engine.error("estimate", **train, **more),
        engine.error("evaluate", base=str(base), suites=[], **({"adapter": more["parent_adapter"]} if more else {})),
    ]


def test_a_base_whose_configuration_asks_for_code(engine: Engine, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    for file, auto_map in (
        ("config.json", {"AutoModelForCausalLM": "own.Own", "AutoConfig": "own.Own"}),
        ("tokenizer_config.json", {"AutoTokenizer": ["own.Own", None]}),
    ):
        base = copied(BASE, tmp_path / file)
        (base / "own.py").write_text(CODE.format(path=str(mark)))
        edit(base / file, auto_map=auto_map)
        errors = refused(engine, base, tmp_path / "out")
        assert all(e["code"] == "bad_file" and e["details"]["reason"] == "remote_code" for e in errors), errors
        assert engine.error("load_base", model=str(base))["code"] == "bad_file" or file == "config.json"
    assert not mark.exists() and not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["model.safetensors", "training_args.bin", "notes.txt", "vocab.json"])
def test_a_pickle_under_any_name(engine: Engine, tmp_path: Path, name: str) -> None:
    base, mark = copied(BASE, tmp_path / "base"), tmp_path / "mark"
    (base / name).write_bytes(pickle.dumps(Mark(mark)))
    errors = refused(engine, base, tmp_path / "out")
    assert all(e["code"] == "bad_file" and e["details"]["reason"] == "not_safetensors" for e in errors), errors
    assert not mark.exists()


ADAPTER_CHANGES: dict[str, dict[str, Any]] = {
    "auto_mapping": {"auto_mapping": {"base_model_class": "Own", "parent_library": "own"}},
    "a pattern": {"target_modules": "(a+)+$"},
    "patterns in a list": {"target_modules": ["q_proj", ".*"]},
    "patterns of ranks": {"rank_pattern": {"(a+)+$": 4}},
    "a huge rank": {"r": 1 << 30},
    "a rank that is none": {"r": True},
    "not LoRA": {"peft_type": "PROMPT_TUNING"},
    "whole modules": {"modules_to_save": ["lm_head"]},
    "far too many modules": {"target_modules": [f"m{i}" for i in range(5000)]},
}


@pytest.mark.parametrize("case", ADAPTER_CHANGES)
def test_an_adapter_that_is_configured_beyond_its_weights(
    engine: Engine, base: str, trained: dict[str, Any], tmp_path: Path, case: str
) -> None:
    parent = copied(trained["folder"], tmp_path / "parent")
    edit(parent / "adapter_config.json", **ADAPTER_CHANGES[case])
    errors = refused(engine, BASE, tmp_path / "out", parent_adapter=str(parent))
    loaded = engine.error("load_adapter", adapter=trained["weights_sha256"], path=str(parent), base=base)
    assert all(error["code"] == "unknown_adapter" for error in [*errors, loaded]), errors


def test_an_adapters_pickle_and_its_named_base_are_not_opened(engine: Engine, trained: dict[str, Any], tmp_path: Path) -> None:
    parent, mark = copied(trained["folder"], tmp_path / "parent"), tmp_path / "mark"
    (parent / "adapter_model.safetensors").write_bytes(pickle.dumps(Mark(mark)))
    assert {e["code"] for e in refused(engine, BASE, tmp_path / "out", parent_adapter=str(parent))} == {"bad_file"}
    other = copied(trained["folder"], tmp_path / "other")
    evil = copied(BASE, tmp_path / "evil")
    (evil / "own.py").write_text(CODE.format(path=str(mark)))
    edit(evil / "config.json", auto_map={"AutoConfig": "own.Own"})
    edit(other / "adapter_config.json", base_model_name_or_path=str(evil))
    engine.result("evaluate", base=str(BASE), adapter=str(other), suites=[])
    assert not mark.exists()
