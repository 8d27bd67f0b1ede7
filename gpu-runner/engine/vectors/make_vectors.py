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

METHOD = "evidence-0"
TEXTS: list[str] = [
    "",
    "The warden's amber flag: 35%!",
    "ÀÉÎ ΑΒΓ Ωμέγα ПРИВЕТ Ёлка ÿ×÷",
    "naïve caf\u00e9 — “quoted” text…",
    "蓄電池 is 電池 42号 ｶﾅ テスト",
    "a\u0301 combining, zero\u200bwidth, tab\tand\nline, emoji 😀 ok, ﬁ",
    "don't_stop x86-64 3.14",
]
# Each end of each range of the tables, and its neighbours, between two letters: a word, a cut, or a word by itself.
ENDS = sorted({end + step for row in (*words.SEPARATORS, *words.SINGLES, *words.CAPITALS) for end in row[:2] for step in (-1, 0, 1)})
TEXTS += [
    " ".join(f"a{chr(code)}b" for code in ENDS[i : i + 24] if not 0xD800 <= code <= 0xDFFF) for i in range(0, len(ENDS), 24)
]
TEXTS += ["".join(map(chr, range(0x80))), "a\U0003fffe\U00040000b", "\u07ff \u0800 \uffef x"]
NUMBERS = [1, 2, 3, 4, 5, 7, 10, 52416, 65535, 65536, 999_999, 1 << 20, (1 << 53) - 1]
SPLITS = [(100, [1, 1, 1]), (4294967295, [5, 3, 2]), (10, [0, 0]), (7, [1, 2, 3, 4]), (1, [5, 5])]

FLAG = "The warden raises the amber flag when the state of charge falls below thirty-five percent."
DROOP = "Nobody changes the droop setpoint of the lead inverter during an island."
BOTH = f"{FLAG} {DROOP}"


def worth(bits: int, count: int) -> list[str]:
    """`count` words that the reference alone makes worth exactly this many bits."""
    wanted = (1 << rarity.NOMINAL_BITS - rarity.COMMON_BITS - bits) - 1
    return sorted(word for word, n in rarity.reference_counts().items() if n == wanted)[:count]


JUST_RARE = " ".join([*worth(5, 2), *worth(6, 1), "the"])  # 16 bits in four words: the least that is evidence
JUST_COMMON = " ".join([*worth(5, 3), "the"])  # 15 bits
THREE = "zymurgic quokka vexillum"  # rare enough, but three words
LONG = " ".join(f"gauge{i % 150} reads {i * i % 97}" for i in range(220))

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
    ("sixteen bits are enough", [("1", 0, JUST_RARE)], "", JUST_RARE),
    ("fifteen bits are not", [("1", 0, JUST_COMMON)], "", JUST_COMMON),
    ("three words are not enough", [("1", 0, THREE)], "", THREE),
    ("four words are", [("1", 0, f"{THREE} of")], "", f"{THREE} of"),
    ("common words at the edge of a rare span", [("1", 0, f"of the {FLAG}"), ("2", 1, f"{DROOP} of the")], "",
     f"{DROOP} of the {FLAG}"),
    ("a run between two owners that is not rare by itself is dropped",
     [("1", 0, "amber flag when the state"), ("2", 1, "of charge falls below thirty"), ("3", 2, FLAG)], "", FLAG),
    ("a span that begins in one file and ends in another is two", [("1", 0, f"{DROOP} The warden raises the amber"),
     ("2", 1, "warden raises the amber flag when the state")], "", FLAG),
    ("earlier occurrences make a word common", [("1", 0, "amber flag charge state " * 30), ("2", 1, FLAG), ("3", 2, DROOP)],
     "", BOTH),
    ("occurrences of the same order do not", [("1", 4, "amber flag charge state " * 30), ("2", 4, FLAG), ("3", 4, DROOP)],
     "", BOTH),
    ("registered at once, one of them longer", [("8", 3, FLAG), ("11", 3, "raises the amber flag when the state"), ("9", 3, FLAG)],
     "", FLAG),
    ("half of it quoted", [("1", 0, BOTH)], "raises the amber flag when the state", BOTH),
    ("a quote of common words changes nothing", [("1", 0, BOTH)], "of the lead during an", BOTH),
    ("chunks of unequal length", [("1", 0, LONG), ("2", 1, f"{LONG[:900]} {FLAG}")], "", f"{LONG[1200:2400]} {FLAG} {LONG[300:600]}"),
    ("ids that are no numbers", [("b", 0, FLAG), ("é", 0, FLAG), ("ab", 0, FLAG), ("B", 0, FLAG)], "", FLAG),
    ("the order is large", [("1", (1 << 53) - 1, FLAG), ("2", (1 << 53) - 2, DROOP)], "", BOTH),
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
        "method": METHOD,
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
