"""From files to rows, their root, and blocks: dialogues in every form, to the token."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from driver import BASE, files

from openledger_engine.models.load import load_tokenizer
from openledger_engine.training.blocks import dialogue_ids, pack
from openledger_engine.training.config import TrainConfig
from openledger_engine.training.dataset_root import dataset_root, leaf, merkle_root
from openledger_engine.training.dialogues import plain, read_dialogues
from openledger_engine.training.rows import Row, TrainFile, read_rows
from openledger_engine.training.schedule import picked_blocks, step_seed

LISTED = [TrainFile(f["contribution_id"], f["path"], f["format"]) for f in files()]
ASK, ANSWER = "When are the panels washed?", "On the first cloudy morning of the month."


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"prompt": ASK, "response": ANSWER}) + "\n\n" + json.dumps({"prompt": ASK, "response": ANSWER}),
        json.dumps([{"instruction": ASK, "input": "", "output": ANSWER}] * 2),
        "\n".join([json.dumps({"messages": [{"role": "user", "content": ASK}, {"role": "assistant", "content": ANSWER}]})] * 2),
    ],
)
def test_every_form_of_a_dialogue_is_the_same_row(text: str, tmp_path: Path) -> None:
    (tmp_path / "d.txt").write_text(text)
    rows = read_rows([TrainFile("9", str(tmp_path / "d.txt"), "txt")], 0)
    assert [row.text for row in rows] == [f"Question: {ASK}\nAnswer: {ANSWER}"] * 2
    assert all(row.turns == (("user", ASK), ("assistant", ANSWER)) and row.contribution_id == "9" for row in rows)


@pytest.mark.parametrize("text", ['{"a": 1}', "[1, 2]", '{"prompt": "x"}\nprose', '{"messages": []}', "[" * 100_000, '{"prompt": 1, "response": 2}'])
def test_what_is_no_dialogue_stays_prose(text: str) -> None:
    assert read_dialogues(text) is None


def test_turns_of_many_and_instructions_are_kept() -> None:
    turns = [("system", "Be brief."), ("user", ASK), ("assistant", ANSWER), ("user", "Why?"), ("assistant", "Less dust.")]
    found = read_dialogues(json.dumps({"messages": [{"role": r, "content": c} for r, c in turns]}))
    assert found == [tuple(turns)] and plain(found[0]).startswith("Instruction: Be brief.\nQuestion: When")


def test_the_loss_can_be_on_the_answers_alone() -> None:
    tokenizer = load_tokenizer(BASE)
    turns = (("user", ASK), ("assistant", ANSWER), ("user", "Why?"), ("assistant", "Less dust."))
    ids, learnt = dialogue_ids(tokenizer, turns, True)
    everything, all_learnt = dialogue_ids(tokenizer, turns, False)
    assert ids == everything and all(all_learnt)
    taught = tokenizer.decode([token for token, mark in zip(ids, learnt, strict=True) if mark])
    assert ANSWER in taught and "Less dust." in taught and ASK not in taught and "Why" not in taught
    assert learnt[-1] and ids[-1] == tokenizer.eos_token_id  # how to end is learnt too
    rows = [Row("1", "txt", plain(turns), turns, "train")]
    counted = [int(pack(rows, tokenizer, TrainConfig(max_length=64, response_only=only)).learnt.sum()) for only in (True, False)]
    assert counted[0] == sum(learnt) < counted[1] == len(ids) - 1


def test_without_packing_no_block_holds_two_documents() -> None:
    tokenizer = load_tokenizer(BASE)
    rows = read_rows(LISTED, 1000)
    packed = pack(rows, tokenizer, TrainConfig(max_length=128))
    apart = pack(rows, tokenizer, TrainConfig(max_length=128, packing=False))
    assert len(apart.ids) > len(packed.ids)
    for ids, owners in zip(apart.ids, apart.owners, strict=True):
        assert len(set(owners[owners >= 0])) == 1 and (ids[1:][owners[1:] >= 0] == tokenizer.bos_token_id).sum() <= 1
    by_owner = [blocks.learnt_by_owner(blocks.everyone())[:-1] for blocks in (packed, apart)]
    assert all(abs(a - b) < 60 for a, b in zip(*by_owner, strict=True)) and not (packed.learnt & (packed.owners < 0)).any()


def test_the_root_is_that_of_rfc_6962_over_rows() -> None:
    row = Row("42", "md", "Some text.", None, "train")
    data = b"42\nmd\n" + hashlib.sha256(b"Some text.").hexdigest().encode()
    assert leaf(row) == hashlib.sha256(b"\0" + data).digest() and dataset_root([row]) == leaf(row).hex()
    leaves = [bytes([i]) * 32 for i in range(5)]

    def node(left: bytes, right: bytes) -> bytes:
        return hashlib.sha256(b"\1" + left + right).digest()

    four = node(node(leaves[0], leaves[1]), node(leaves[2], leaves[3]))
    assert merkle_root(leaves) == node(four, leaves[4])
    rows = read_rows(LISTED, 1000)
    root = dataset_root(rows)
    assert dataset_root(rows[1:]) != root and dataset_root(read_rows(LISTED, 2000)) == root
    assert dataset_root([Row("43", *(rows[0].format, rows[0].text, None, "train")), *rows[1:]]) != root


def test_validation_rows_are_apart_and_never_taken_from_the_evaluation() -> None:
    parts = [{row.text for row in read_rows(LISTED, 1000, bps) if row.held_out} for bps in (0, 500, 3000)]
    assert parts[0] == parts[1] == parts[2]
    rows = read_rows(LISTED, 1000, 3000)
    assert {row.part for row in rows} == {"train", "validation", "held_out"}


def test_steps_follow_from_seed_and_number() -> None:
    config = TrainConfig(batch_size=4, epochs=3)
    seen: dict[int, list[int]] = {}
    for step in range(9):
        epoch, picked = picked_blocks(config, 10, step)
        seen.setdefault(epoch, []).extend(map(int, picked))
    assert all(sorted(blocks) == list(range(10)) for blocks in seen.values()) and seen[0] != seen[1]
    assert np.array_equal(picked_blocks(config, 10, 7)[1], picked_blocks(config, 10, 7)[1])
    seeds: set[Any] = {step_seed(config, step, rank) for step in range(50) for rank in range(2)}
    assert len(seeds) == 100 and all(0 <= seed < 1 << 63 for seed in seeds)
