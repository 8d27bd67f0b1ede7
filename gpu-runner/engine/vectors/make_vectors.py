"""Writes evidence-0.json: cases with the answers of this implementation, for another one to agree with bit for bit.

    PYTHONPATH=.. python make_vectors.py

The cases are chosen by hand; a change in the answers is a change of the method, and needs a new name for it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from openledger_engine.evidence import fixed, index, rarity, score, words

TEXTS = [
    "",
    "The warden's amber flag: 35%!",
    "ÀÉÎ ΑΒΓ Ωμέγα ПРИВЕТ Ёлка ÿ×÷",
    "naïve caf\u00e9 — “quoted” text…",
    "蓄電池 is 電池 42号 ｶﾅ テスト",
    "a\u0301 combining, zero\u200bwidth, tab\tand\nline, emoji 😀 ok, ﬁ",
    "don't_stop x86-64 3.14",
]
NUMBERS = [1, 2, 3, 4, 5, 7, 10, 52416, 65535, 65536, 999_999, 1 << 20, (1 << 53) - 1]
SPLITS = [(100, [1, 1, 1]), (4294967295, [5, 3, 2]), (10, [0, 0]), (7, [1, 2, 3, 4]), (1, [5, 5])]

FLAG = "The warden raises the amber flag when the state of charge falls below thirty-five percent."
DROOP = "Nobody changes the droop setpoint of the lead inverter during an island."
BOTH = f"{FLAG} {DROOP}"

# (name, contributions as (id, order, text), prompt, output)
CASES: list[tuple[str, list[tuple[str, int, str]], str, str]] = [
    ("one supporter", [("1", 0, FLAG), ("2", 1, DROOP)], "", "I think the amber flag when the state of charge falls"),
    ("two supporters", [("1", 0, FLAG), ("2", 1, DROOP)], "", BOTH),
    ("nothing supports it", [("1", 0, FLAG)], "", "Bread is baked from flour and water."),
    ("common words are no evidence", [("1", 0, "It is one of the things that can be used in the same way.")], "",
     "one of the things that can be used"),
    ("a later copy earns nothing", [("1", 0, FLAG), ("9", 5, FLAG + " Copied."), ("10", 6, FLAG)], "", FLAG),
    ("a longer copy earns what it adds", [("1", 0, "raises the amber flag when the state of charge falls"), ("2", 1, FLAG)],
     "", FLAG),
    ("registered at once: split", [("12", 7, FLAG), ("3", 7, FLAG), ("4", 7, FLAG)], "", FLAG),
    ("registration order, not id", [("5", 2, FLAG), ("70", 1, FLAG)], "", FLAG),
    ("quoted from the prompt", [("1", 0, FLAG), ("2", 1, DROOP)], f"Explain: {FLAG}", BOTH),
    ("words outside English", [("1", 0, "Ёлка стоит в лесу,蓄電池 は 満充電"), ("2", 1, "nothing here")], "",
     "ёлка СТОИТ в лесу 蓄電池は満充電"),
    ("no corpus", [], "", FLAG),
    ("empty output", [("1", 0, FLAG)], "", ""),
    ("repetition in a file doesn't pay", [("1", 0, FLAG), ("2", 1, (DROOP + " ") * 40)], "", BOTH),
    ("many chunks", [("1", 0, ("Sheep graze in the panel field. " * 60) + FLAG), ("2", 1, DROOP)], "", BOTH),
]


def attribution(case: tuple[str, list[tuple[str, int, str]], str, str]) -> dict[str, Any]:
    name, contributions, prompt, output = case
    built = index.build_index(
        index.Contribution(i, order, [w.text for w in words.split_words(text)]) for i, order, text in contributions
    )
    rows, spans = score.attribute_output(built, prompt, output)
    return {
        "name": name,
        "contributions": [{"id": i, "order": order, "text": text} for i, order, text in contributions],
        "prompt": prompt,
        "output": output,
        "root": built.root,
        "rows": [{"contribution_id": i, "weight": weight} for i, weight in rows],
        "spans": [dataclasses.asdict(span) for span in spans],
    }


def make() -> dict[str, Any]:
    table = Path(rarity.__file__).with_name("reference-words.json")
    return {
        "method": "evidence-0",
        "reference_words_sha256": hashlib.sha256(table.read_bytes()).hexdigest(),
        "log2": [{"value": n, "log2": fixed.log2(n)} for n in NUMBERS],
        "share_out": [{"total": t, "scores": s, "parts": fixed.share_out(t, s)} for t, s in SPLITS],
        "words": [{"text": t, "words": [dataclasses.asdict(w) for w in words.split_words(t)]} for t in TEXTS],
        "weights": [
            {"word": w, "earlier": n, "weight": rarity.weight(w, n)}
            for w in ("the", "state", "warden", "percent") for n in (0, 1, 1000, 1 << 21)
        ],
        "attribution": [attribution(case) for case in CASES],
    }


if __name__ == "__main__":
    target = Path(__file__).with_name("evidence-0.json")
    target.write_text(json.dumps(make(), indent=1, ensure_ascii=False) + "\n", "utf-8")
