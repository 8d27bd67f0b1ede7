"""Writes retrieval-0.json and influence-0.json: see make_vectors.py.

    PYTHONPATH=.. python make_retrieval_vectors.py
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from make_vectors import BOTH, DROOP, FLAG, LONG

from openledger_engine.evidence.index import Contribution, build_index
from openledger_engine.evidence.score import rows_of
from openledger_engine.evidence.words import folded_words
from openledger_engine.influence.prior import prior_root, weighted
from openledger_engine.retrieval.passages import Passages, first_chunks
from openledger_engine.retrieval.retrieve import select

# (name, contributions as (id, order, text), query, top_k, max_words)
CASES: list[tuple[str, list[tuple[str, int, str]], str, int, int | None]] = [
    ("one passage", [("1", 0, FLAG), ("2", 1, DROOP)], "When is the amber flag raised?", 4, None),
    ("two passages", [("1", 0, FLAG), ("2", 1, DROOP)], "amber flag, droop setpoint", 4, None),
    ("the best only", [("1", 0, FLAG), ("2", 1, DROOP)], "amber flag, droop setpoint of the inverter", 1, None),
    ("common words find nothing", [("1", 0, FLAG)], "of the when", 4, None),
    ("a copy is not cited", [("1", 0, FLAG), ("2", 1, FLAG), ("3", 2, f"My own: {FLAG}")], "amber flag", 4, None),
    ("what a copy adds is its own", [("1", 0, FLAG), ("2", 1, f"{FLAG} The amber beacon blinks twice.")],
     "amber flag beacon", 4, None),
    ("registered at once", [("12", 5, FLAG), ("3", 5, FLAG)], "amber flag", 4, None),
    ("registered first, among equals", [("5", 2, "Amber lamps glow."), ("6", 1, "Amber lamps glow.")], "amber", 1, None),
    ("chunks of one file", [("1", 0, f"{LONG} {FLAG}")], "gauge7 reads 49, amber gauge120", 3, None),
    ("earlier occurrences weigh", [("1", 0, "amber " * 40), ("2", 1, f"{DROOP} Amber."), ("3", 1, "Amber is a flag.")],
     "amber flag", 4, None),
    ("words are limited", [("1", 0, FLAG), ("2", 1, DROOP), ("3", 2, LONG)], "amber flag droop gauge3", 4, 30),
    ("bytes of other scripts", [("1", 0, "»Ёлка« — 蓄電池は満充電。 ok")], "蓄 ЁЛКА", 4, None),
    ("no corpus", [], BOTH, 4, None),
]
# (rows, prior, lambda in basis points)
WEIGHTED: list[tuple[list[tuple[str, int]], list[tuple[str, int]], int]] = [
    ([("1", 1 << 31), ("2", (1 << 31) - 1)], [("1", 65535), ("2", 32767)], bps) for bps in (10_000, 5_000, 1, 0)
]
WEIGHTED += [
    ([("3", 5), ("12", 4294967290)], [("12", 0), ("7", 9)], 0),
    ([("3", 5), ("12", 4294967290)], [("12", 0), ("7", 9)], 2_500),
    ([("1", 1431655765), ("2", 1431655765), ("3", 1431655765)], [("1", 3), ("2", 2), ("3", 2)], 0),
    ([], [("1", 1)], 5_000),
]


def retrieval(case: tuple[str, list[tuple[str, int, str]], str, int, int | None]) -> dict[str, Any]:
    name, contributions, query, top_k, max_words = case
    texts = {i: text for i, _, text in contributions}
    index = build_index(Contribution(i, order, folded_words(text)) for i, order, text in contributions)
    stored = Passages.of(texts[entry.id] for entry in index.entries)
    firsts = first_chunks(index)
    passages, scores = [], Counter[str]()
    for ranked in select(index, query, top_k, max_words):
        contribution_id = index.entries[ranked.contribution].id
        start, end, text = stored.text(ranked.contribution, ranked.chunk)
        scores[contribution_id] += ranked.score
        passages.append({
            "contribution_id": contribution_id, "chunk": ranked.chunk - int(firsts[ranked.contribution]),
            "start": start, "end": end, "text": text, "score": ranked.score,
        })
    return {
        "name": name,
        "contributions": [{"id": i, "order": order, "text": text} for i, order, text in contributions],
        "query": query,
        "top_k": top_k,
        "max_words": max_words,
        "root": index.root,
        "passages": passages,
        "rows": rows_of(scores),
    }


def make() -> dict[str, Any]:
    return {"method": "retrieval-0", "retrieval": [retrieval(case) for case in CASES]}


def make_weighted() -> dict[str, Any]:
    cases = [
        {"rows": rows, "prior": prior, "prior_root": prior_root(prior), "lambda_bps": bps,
         "weighted": weighted(rows, dict(prior), bps)}
        for rows, prior, bps in WEIGHTED
    ]
    return {"method": "influence-0", "weighted": cases}


if __name__ == "__main__":
    for name, made in (("retrieval-0", make()), ("influence-0", make_weighted())):
        target = Path(__file__).with_name(f"{name}.json")
        target.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", "utf-8")
