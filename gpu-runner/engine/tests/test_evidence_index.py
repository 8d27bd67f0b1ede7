"""The index of evidence-0: its order, its files, and what happens when one of them is damaged."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from driver import Engine, files

from openledger_engine.evidence.index import Contribution, EvidenceIndex, build_index
from openledger_engine.evidence.index_files import DamagedIndex, load_index, save_index
from openledger_engine.evidence.suffixes import SuffixIndex, narrowest, suffix_array
from openledger_engine.evidence.words import SINGLES, folded_words, split_words


@pytest.mark.parametrize("highest", [1, 2, 300, 70_000, (1 << 31) - 1])
def test_the_suffix_array_is_the_sorted_suffixes(highest: int) -> None:
    """Ids of one, two and four bytes, with repeats of every length."""
    rng = random.Random(highest)
    for size in (0, 1, 2, 3, 17, 150):
        letters = [rng.randint(0, highest) for _ in range(4)]
        ids = [rng.choice(letters) for _ in range(size)]
        ids += ids[: rng.randrange(size + 1)]
        assert suffix_array(np.array(ids, np.int64)).tolist() == sorted(range(len(ids)), key=lambda i: ids[i:])


def test_rows_are_those_of_all_places_that_hold_a_pattern() -> None:
    rng = np.random.default_rng(2)
    for _ in range(60):
        ids = rng.integers(0, 3, rng.integers(1, 60))
        text = SuffixIndex.of(narrowest(ids))
        pattern = np.array([i for i in rng.integers(0, 3, 30) if i in ids])
        starts = np.arange(len(pattern))
        depths = np.minimum(rng.integers(1, 7, len(pattern)), len(pattern) - starts)
        low, high = text.rows(pattern, starts, depths)
        for k, depth in enumerate(depths):
            wanted = pattern[k : k + depth].tolist()
            expected = {p for p in range(len(ids)) if ids[p : p + depth].tolist() == wanted}
            assert set(text.suffixes[low[k] : high[k]].tolist()) == expected
            assert high[k] - low[k] == len(expected)


def test_files_and_outputs_are_cut_into_the_same_words() -> None:
    rng = random.Random(3)
    edges = [code + step for low, high in SINGLES for code in (low, high) for step in (-1, 0, 1)]
    codes = [*range(0x500), *range(0x1FF0, 0x2080), *range(0x2FF0, 0x3110), *range(0xFE00, 0x10010), *edges, 0x1F600]
    usable = [code for code in codes if not 0xD800 <= code <= 0xDFFF]
    for _ in range(400):
        text = "".join(chr(rng.choice(usable)) if rng.random() < 0.5 else rng.choice("aB 1é") for _ in range(60))
        assert folded_words(text) == [word.text for word in split_words(text)]


def some_index() -> EvidenceIndex:
    return build_index(Contribution(str(i), i, f"word{i} {'and more ' * i}".split()) for i in range(5))


@pytest.mark.parametrize("name", ["words.npy", "suffixes.npy", "vocabulary.txt", "index.json"])
@pytest.mark.parametrize("damage", ["cut", "flip", "gone", "empty"])
def test_a_damaged_file_is_noticed(name: str, damage: str, tmp_path: Path) -> None:
    save_index(some_index(), tmp_path)
    path = tmp_path / name
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 1
    path.write_bytes({"cut": data[:-3], "empty": b"", "flip": data, "gone": b""}[damage])
    if damage == "gone":
        path.unlink()
    with pytest.raises(DamagedIndex):
        load_index(tmp_path)


def test_a_manifest_of_other_contributions_is_noticed(tmp_path: Path) -> None:
    save_index(some_index(), tmp_path)
    manifest = json.loads((tmp_path / "index.json").read_text("utf-8"))
    manifest["contributions"][1][0] = "7"
    (tmp_path / "index.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(DamagedIndex, match="root"):
        load_index(tmp_path)


def test_a_damaged_index_is_built_anew_from_the_files(engine: Engine, tmp_path: Path) -> None:
    request = {"index": str(tmp_path), "files": files()}
    first = engine.result("index_corpus", **request)
    whole = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / "suffixes.npy").write_bytes(whole["suffixes.npy"][:-1])
    assert engine.result("index_corpus", **request) == first
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == whole


def test_no_usable_index_is_no_data(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text('{"format": "something else"}', "utf-8")
    error = engine.error("attribute", index=str(tmp_path), prompt_text="", output_text="x")
    assert error["code"] == "no_data" and "index_corpus" in error["message"]


def test_a_text_that_is_too_long_is_refused(engine: Engine, tmp_path: Path) -> None:
    engine.result("index_corpus", index=str(tmp_path), files=files())
    error = engine.error("attribute", index=str(tmp_path), prompt_text="", output_text="é" * (1 << 19) + "!")
    assert error["code"] == "bad_params" and error["details"]["name"] == "output_text"
