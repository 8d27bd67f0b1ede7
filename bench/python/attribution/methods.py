"""Every method's scores: how much each contributor is said to have lowered the loss of each query. [queries, contributors]."""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from openledger_engine.evidence.index import Contribution, build_index
from openledger_engine.evidence.score import attribute_output
from openledger_engine.evidence.words import folded_words
from openledger_engine.influence import datainf, ekfac, trak
from openledger_engine.influence.gradients import Gradient, added, dot, gradient_of
from openledger_engine.influence.prior import HIGHEST, quantise
from openledger_engine.influence.training_set import contribution_gradients, training_set
from openledger_engine.methods import Job
from openledger_engine.models.load import load_tokenizer
from openledger_engine.retrieval.retrieve import select
from openledger_engine.training.prepare import DataParams, prepare
from openledger_engine.training.rows import TrainFile

from lds import Floats
from retrain import BASE, PARAMS, example, kept_checkpoints, load, take_weights
from truth import Truth
from world import Contributor, Query

PROJECTED = 512
LAMBDA = 0.5  # of the evidence that the prior leaves alone, where both are combined
QUIET = Job(lambda *_: None)


def evidence(people: list[Contributor], texts: list[tuple[str, str]]) -> Floats:
    """evidence-0's weights of (prompt, output) pairs."""
    index = build_index(Contribution(p.id, i, folded_words(p.text)) for i, p in enumerate(people))
    place = {p.id: i for i, p in enumerate(people)}
    scores = np.zeros((len(texts), len(people)))
    for row, (prompt, output) in zip(scores, texts, strict=True):
        for contribution, weight in attribute_output(index, prompt, output)[0]:
            row[place[contribution]] = weight
    return scores


def bm25(people: list[Contributor], texts: list[tuple[str, str]]) -> Floats:
    """The usual BM25 (k1 = 1.2, b = 0.75, Lucene's idf) of the output against whole contributions, in floats."""
    documents = [Counter(folded_words(p.text)) for p in people]
    sizes = [sum(d.values()) for d in documents]
    mean = sum(sizes) / len(sizes)
    held = Counter(word for d in documents for word in d)

    def score(document: Counter[str], size: int, words: set[str]) -> float:
        return sum(
            math.log(1 + (len(people) - held[w] + 0.5) / (held[w] + 0.5))
            * document[w] * 2.2 / (document[w] + 1.2 * (0.25 + 0.75 * size / mean))
            for w in words if w in document
        )

    return np.array([
        [score(d, size, set(folded_words(output))) for d, size in zip(documents, sizes, strict=True)] for _, output in texts
    ])


def embedding(people: list[Contributor], texts: list[tuple[str, str]]) -> Floats:
    """Cosine of the base's mean last hidden states: of the output, and of each contributor's 1200-character pieces, the best."""
    model, tokenizer = load(None)

    def state(text: str) -> Any:
        ids = torch.tensor([tokenizer(text)["input_ids"][:512]])
        with torch.inference_mode():
            hidden = model(input_ids=ids, output_hidden_states=True).hidden_states[-1][0].mean(0)
        return hidden / hidden.norm()

    pieces = [torch.stack([state(p.text[i : i + 1200]) for i in range(0, len(p.text), 1200)]) for p in people]
    return np.array([[float((piece @ state(output)).max()) for piece in pieces] for _, output in texts])


def retrieval(people: list[Contributor], texts: list[tuple[str, str]]) -> Floats:
    """retrieval-0's scores of the output as a query, summed over a contribution's passages."""
    index = build_index(Contribution(p.id, i, folded_words(p.text)) for i, p in enumerate(people))
    scores = np.zeros((len(texts), len(people)))
    for row, (_, output) in zip(scores, texts, strict=True):
        for ranked in select(index, output, 16, None):
            row[ranked.contribution] += ranked.score
    return scores


LEXICAL = {"evidence0": evidence, "retrieval0": retrieval, "bm25": bm25, "embedding": embedding}


def summed(count: int, gradients: Iterable[tuple[int, Gradient]]) -> list[Gradient]:
    """One gradient for each of `count` contributors; all of them have taught something."""
    totals: dict[int, Gradient] = {}
    for number, gradient in gradients:
        totals[number] = added(totals[number], gradient) if number in totals else gradient
    return [totals[number] for number in range(count)]


def prior_of(people: list[Contributor], model: Any, tokenizer: Any, factors: Any, totals: list[Gradient]) -> list[int]:
    """influence-0's prior: EK-FAC towards the held-out passages of all contributors."""
    wanted = None
    for person in people:
        gradient = gradient_of(model, example(tokenizer, Query("heldout", person.id, "", person.held_out)))
        wanted = gradient if wanted is None else added(wanted, gradient)
    return quantise([dot(ekfac.solve(factors, wanted or []), total) for total in totals])


def gradient_methods(people: list[Contributor], truth: Truth) -> tuple[dict[str, Floats], list[int]]:
    """Dot, cosine, DataInf and EK-FAC on the gradients of the full run's adapter, TracIn on those of its checkpoints, TRAK on
    the ensemble's; and the prior."""
    folder = Path(truth.adapter).parent
    files = [TrainFile(p.id, str(folder / f"{p.id}.txt"), "txt") for p in people]

    def gradients(adapter: str, checkpoint: Path | None = None) -> tuple[Any, Any, list[tuple[int, Gradient]], list[Gradient]]:
        """(model, training set, gradients by contributor, gradients of the queries)"""
        model, tokenizer = load(adapter, trainable=True)
        if checkpoint is not None:
            take_weights(model, checkpoint)
        data = training_set(prepare(DataParams(str(BASE), files, PARAMS, heldout_share_bps=0), QUIET))
        column = {name: next(i for i, p in enumerate(people) if p.id == name) for name in data.contributions}
        rows = [(column[data.contributions[n]], g) for n, g in contribution_gradients(model, data, QUIET)]
        queries = [gradient_of(model, example(tokenizer, q)) for q in truth.queries]
        return model, data, rows, queries

    model, data, rows, queries = gradients(truth.adapter)
    totals = summed(len(people), rows)
    norms = [math.sqrt(dot(g, g)) for g in totals]
    every = [g for _, g in rows]
    factors = ekfac.measure(model, data.examples, 1, QUIET)
    prior = prior_of(people, model, load_tokenizer(BASE), factors, totals)

    def against(solved: list[Gradient], totals: list[Gradient] = totals) -> Floats:
        return np.array([[dot(q, g) for g in totals] for q in solved])

    plain = against(queries)
    found = {
        "gradientDot": plain,
        "gradientCosine": plain / np.array(norms),
        "dataInf": against(datainf.solve(every, queries)),
        "ekfac": against([ekfac.solve(factors, q) for q in queries]),
    }
    tracin = np.zeros_like(plain)
    for kept in kept_checkpoints(truth.adapter):
        _, _, rows, queries = gradients(truth.adapter, kept.path)
        tracin += kept.learning_rate * against(queries, summed(len(people), rows))
    averaged = np.zeros_like(plain)
    for adapter in truth.ensemble:
        _, _, rows, queries = gradients(adapter)
        features = trak.project([g for _, g in rows], PROJECTED, 1)
        asked = trak.project(queries, PROJECTED, 1)
        owner = torch.tensor([column for column, _ in rows])
        parts = trak.scores(features, asked)
        averaged += torch.zeros(len(queries), len(people), dtype=parts.dtype).index_add_(1, owner, parts).numpy()
    return found | {"tracIn": tracin, "trak": averaged}, prior


def all_methods(people: list[Contributor], truth: Truth, seed: int, tell: Callable[[str], None]) -> dict[str, Floats]:
    texts = [(q.prompt, q.text) for q in truth.queries]
    rng = np.random.default_rng(zlib.crc32(b"random") + seed)
    tell("lexical methods")
    found = {
        "random": rng.random((len(texts), len(people))),
        "tokenCount": np.tile([float(len(folded_words(p.text))) for p in people], (len(texts), 1)),
        "bm25": bm25(people, texts),
        "evidence0": evidence(people, texts),
        "retrieval0": retrieval(people, texts),
    }
    tell("embedding")
    found["embedding"] = embedding(people, texts)
    tell("gradients")
    by_gradient, prior = gradient_methods(people, truth)
    found |= by_gradient
    found["weighted"] = found["evidence0"] * (LAMBDA + (1 - LAMBDA) * np.array(prior) / HIGHEST)
    return found
