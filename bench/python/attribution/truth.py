"""Retrains the subsets and measures them: what all methods are judged by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from openledger_engine.runtime import device

from lds import Floats
from retrain import Task, load, retrain_all, write_files
from world import Contributor, Query, asked

GENERATED = 48  # tokens of an output that the full model writes


@dataclass(frozen=True)
class Truth:
    queries: list[Query]
    subsets: Floats  # [subsets, contributors], 1 where the contributor took part
    losses: Floats  # [subsets, queries]
    again: Floats  # losses of the first subsets once more, with another seed
    without: Floats  # [some contributors, queries]: all but one
    full: Floats  # [queries]
    adapter: str  # of the full run, with its checkpoints
    ensemble: list[str]  # adapters of further random subsets, for methods that average over models
    generated: dict[str, str]  # contributor -> what the full model answers to its question


def generate(model: object, tokenizer: object, prompt: str) -> str:
    """Greedy continuation, ended at the end token or the first line feed."""
    ids = torch.tensor([tokenizer(prompt)["input_ids"]], device=device())  # type: ignore[operator]
    with torch.inference_mode():
        out = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=GENERATED, do_sample=False)  # type: ignore[attr-defined]
    return str(tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)).split("\n")[0]  # type: ignore[attr-defined]


def make_queries(people: list[Contributor], per_kind: int, model: object, tokenizer: object) -> list[Query]:
    """`per_kind` of each: held-out passages, true answers, and what the full model writes after a passage's beginning."""
    made: list[Query] = []
    for person in people[:per_kind]:
        made.append(Query("heldout", person.id, "", person.held_out))
        made.append(Query("fact", person.id, asked(person.question), f" {person.answer}"))
        opening = " ".join(person.held_out.split()[:12])
        text = generate(model, tokenizer, opening)
        if text.strip():
            made.append(Query("generated", person.id, opening, text))
    return made


def measure(
    folder: str, people: list[Contributor], subsets: int, per_kind: int, seed: int, processes: int
) -> Truth:
    """`folder` keeps the files and the adapters that the methods look at; it is the caller's to remove."""
    write_files(Path(folder), people)
    everyone = tuple(person.id for person in people)
    adapter = str(Path(folder) / "full")
    retrain_all(folder, [Task(everyone, 42, adapter, checkpoints=True)], [], 1)
    model, tokenizer = load(adapter)
    queries = make_queries(people, per_kind, model, tokenizer)

    rng = np.random.default_rng(seed)
    # Half of the contributors each time. Were the number left to chance, it would decide most losses: more text, lower
    # loss, and every method with positive scores, random ones included, would seem to predict that.
    chosen = (rng.permuted(np.tile(np.arange(len(people)), (subsets + 4, 1)), axis=1) < len(people) // 2).astype(float)
    members = [tuple(np.array(everyone)[row > 0].tolist()) for row in chosen]
    repeats, left_out = max(4, subsets // 6), min(4, len(people))
    ensemble = [str(Path(folder) / f"ensemble-{i}") for i in range(4)]
    tasks = [
        *(Task(row, 42) for row in members[:subsets]),
        *(Task(row, 43) for row in members[:repeats]),
        *(Task(tuple(i for i in everyone if i != person.id), 42) for person in people[:left_out]),
        *(Task(row, 44, keep) for row, keep in zip(members[subsets:], ensemble, strict=True)),
        Task(everyone, 42),
    ]
    found = retrain_all(folder, tasks, queries, processes)
    ends = np.cumsum([subsets, repeats, left_out])
    return Truth(
        queries, chosen[:subsets], found[: ends[0]], found[ends[0] : ends[1]], found[ends[1] : ends[2]], found[-1],
        adapter, ensemble, {p.id: generate(model, tokenizer, asked(p.question)) for p in people},
    )
