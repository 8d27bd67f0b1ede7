"""retrieval-0: what is cited and paid, and that copies and later files take nothing from those who came first."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import pytest
from driver import Engine, files
from test_evidence import VECTORS, Corpus, index_of, random_case, random_words

from openledger_engine.evidence.index import EvidenceIndex
from openledger_engine.evidence.words import split_words
from openledger_engine.retrieval.passages import chunk_bounds, first_chunks
from openledger_engine.retrieval.render import render
from openledger_engine.retrieval.retrieve import select


def cited(corpus: Corpus, query: list[str], top_k: int = 16) -> list[tuple[str, int, int]]:
    """(contribution, chunk, score) in the order of rank."""
    index: EvidenceIndex = index_of(corpus)
    firsts = first_chunks(index)
    found = select(index, " ".join(query), top_k, None)
    return [(index.entries[r.contribution].id, r.chunk - int(firsts[r.contribution]), r.score) for r in found]


def test_vectors_are_what_this_code_gives() -> None:
    sys.path.insert(0, str(VECTORS))
    import make_retrieval_vectors

    stored = json.loads((VECTORS / "retrieval-0.json").read_text("utf-8"))
    assert json.loads(json.dumps(make_retrieval_vectors.make())) == stored


def test_bounds_are_those_of_every_128_words() -> None:
    rng = random.Random(4)
    for _ in range(40):
        text = "".join(rng.choice(["wörd ", "電", "a-b", "\n\n", "😀 ", "x"]) for _ in range(rng.randrange(0, 700)))
        words = split_words(text)
        expected = [(words[i].start, words[min(i + 127, len(words) - 1)].end) for i in range(0, len(words), 128)]
        assert chunk_bounds(text) == expected


@pytest.mark.parametrize("seed", range(40))
def test_what_is_registered_later_lowers_no_score_and_copies_are_not_cited(seed: int) -> None:
    rng = random.Random(seed)
    corpus, query, _ = random_case(rng)
    every = 10_000  # more than there are: the rank of all
    before = cited(corpus, query, every)
    copies = [(f"90000000{i}", 50 + i, words) for i, (_, _, words) in enumerate(corpus)]
    new = ("999999999", 90, random_words(rng, 30))
    after = cited([*corpus, *copies, new], query, every)
    assert [row for row in after if not row[0].startswith("9")] == [row for row in before if not row[0].startswith("9")]
    # A text too common or too short to be evidence belongs to nobody, and so can't be copied either.
    copied = {row[0]: row[2] for row in after if row[0].startswith("90000000")}
    originals = {f"90000000{i}": sum(s for j, _, s in after if j == corpus[i][0]) for i in range(len(corpus))}
    assert all(score <= originals[i] for i, score in copied.items())


def test_a_copied_chunk_is_not_cited_however_it_is_cut_or_framed() -> None:
    rng = random.Random(9)
    words = [f"fact{rng.randrange(400)}" for _ in range(400)]
    query = words[150:190]
    alone = cited([("1", 0, words)], query)
    for copy in (words, words[37:], ["own", "frame"] * 3 + words[100:300] + ["more"] * 9, words[150:200] * 5):
        assert cited([("1", 0, words), ("2", 1, copy)], query) == alone
    # Registered at once, neither came first: both are cited.
    assert {i for i, _, _ in cited([("1", 0, words), ("2", 0, words)], query)} == {"1", "2"}


def test_the_longest_ranking_is_cut_not_changed() -> None:
    rng = random.Random(10)
    corpus: Corpus = [(str(i), i, [f"term{rng.randrange(60)}" for _ in range(300)]) for i in range(30)]
    query = [f"term{i}" for i in range(20)]
    every = cited(corpus, query, 10_000)
    assert [score for *_, score in every] == sorted((score for *_, score in every), reverse=True)
    for top_k in (1, 4, 16):
        assert cited(corpus, query, top_k) == every[:top_k]


def test_the_engine_cites_and_pays(engine: Engine, tmp_path: Path) -> None:
    index = str(tmp_path)
    root = engine.result("index_corpus", index=index, files=files())["root"]
    found = engine.result("retrieve", index=index, query_text="When is the amber flag raised in the battery shed?", top_k=3)
    assert found["method"] == "retrieval-0" and found["root"] == root
    assert 1 <= len(found["passages"]) <= 3 and sum(row["weight"] for row in found["rows"]) == (1 << 32) - 1
    assert {row["contribution_id"] for row in found["rows"]} == {p["contribution_id"] for p in found["passages"]}
    by_id = {file["contribution_id"]: Path(file["path"]) for file in files()}
    for passage in found["passages"]:
        path = by_id[passage["contribution_id"]]
        if path.suffix in (".md", ".txt"):
            assert path.read_bytes()[passage["start"] : passage["end"]].decode() == passage["text"]
    assert found["context"] == render([passage["text"] for passage in found["passages"]])
    assert found["context"].startswith("Passages:\n[1] ")
    short = engine.result("retrieve", index=index, query_text="amber flag", max_words=1)
    assert short["passages"] == [] and short["rows"] == [] and short["context"] == ""
    assert engine.error("retrieve", index=index, query_text="x", top_k=17)["code"] == "bad_params"
    assert engine.error("retrieve", index=str(tmp_path / "none"), query_text="x")["code"] == "no_data"


def test_an_empty_datanet_is_indexed_and_cites_nothing(engine: Engine, tmp_path: Path) -> None:
    engine.result("index_corpus", index=str(tmp_path), files=[])
    assert engine.result("retrieve", index=str(tmp_path), query_text="amber flag")["passages"] == []
    assert engine.result("attribute", index=str(tmp_path), prompt_text="", output_text="amber flag")["rows"] == []
