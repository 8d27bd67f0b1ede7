"""evidence-0 against its vectors, against a second implementation that follows the definition word for word, and
against the promises that the specification makes."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import numpy as np
import pytest

from openledger_engine.evidence import fixed, rarity
from openledger_engine.evidence.index import Contribution, build_index, id_key
from openledger_engine.evidence.index_files import load_index, save_index
from openledger_engine.evidence.score import Span, attribute_output
from openledger_engine.evidence.support import MIN_BITS, MIN_WORDS
from openledger_engine.evidence.words import split_words

VECTORS = Path(__file__).parent.parent / "vectors"
Corpus = list[tuple[str, int, list[str]]]
RARE = [f"term{i}" for i in range(12)]
COMMON = ["the", "of", "is", "and", "to"]


def test_vectors_are_what_this_code_gives() -> None:
    sys.path.insert(0, str(VECTORS))
    import make_vectors

    stored = json.loads((VECTORS / "evidence-0.json").read_text("utf-8"))
    assert json.loads(json.dumps(make_vectors.make())) == stored


def test_log2_is_the_logarithm() -> None:
    for n in [*range(1, 3000), 52416, 1 << 40, (1 << 53) - 1]:
        exact = np.log2(np.longdouble(n)) * 65536
        assert -2 < fixed.log2(n) - float(exact) <= 0
    assert [fixed.log2(1 << i) for i in range(60)] == [i << 16 for i in range(60)]


def test_shares_sum_to_the_whole() -> None:
    rng = random.Random(5)
    for _ in range(300):
        scores = [rng.randrange(0, 1 << rng.randrange(1, 60)) for _ in range(rng.randrange(1, 9))]
        total = rng.randrange(0, 1 << 32)
        parts = fixed.share_out(total, scores)
        assert sum(parts) == (total if sum(scores) else 0)
        assert all(part in (s * total // max(1, sum(scores)), s * total // max(1, sum(scores)) + 1)
                   for part, s in zip(parts, scores, strict=True))


def index_of(corpus: Corpus):  # noqa: ANN201
    return build_index(Contribution(i, order, words) for i, order, words in corpus)


def attribute(corpus: Corpus, output: list[str], prompt: list[str] | None = None) -> tuple[dict[str, int], list[Span]]:
    rows, spans = attribute_output(index_of(corpus), " ".join(prompt or []), " ".join(output))
    return dict(rows), spans


def plain_attribution(corpus: Corpus, output: list[str], prompt: list[str]) -> dict[str, int]:
    """The definition, without an index: every span of the output is looked for in every contribution."""
    n = len(output)
    bare = [rarity.weight(w, 0) for w in output]

    def rare(s: int, e: int) -> bool:
        return e - s >= MIN_WORDS and sum(bare[s:e]) >= MIN_BITS

    def holds(words: list[str], s: int, e: int) -> bool:
        return any(words[p : p + e - s] == output[s:e] for p in range(len(words) - (e - s) + 1))

    spans = [(s, e) for s in range(n) for e in range(s + 1, n + 1) if rare(s, e)]
    covers = {i: {t for s, e in spans if holds(words, s, e) for t in range(s, e)} for i, _, words in corpus}
    quoted = {t for s, e in spans if holds(prompt, s, e) for t in range(s, e)}
    orders = {i: order for i, order, _ in corpus}
    owned: list[tuple[str, ...]] = []
    for t in range(n):
        supporters = [] if t in quoted else [i for i in covers if t in covers[i]]
        first = min((orders[i] for i in supporters), default=0)
        owned.append(tuple(sorted((i for i in supporters if orders[i] == first), key=id_key)))

    def weight(word: str, i: str) -> int:
        earlier = sum(words.count(word) for _, order, words in corpus if order < orders[i])
        return rarity.weight(word, earlier)

    scores: dict[str, int] = {}
    start = 0
    while start < n:
        end = start + 1
        while end < n and owned[end] == owned[start]:
            end += 1
        if rare(start, end):
            for place, i in enumerate(owned[start]):
                for word in output[start:end]:
                    share, rest = divmod(weight(word, i), len(owned[start]))
                    scores[i] = scores.get(i, 0) + share + (place < rest)
        start = end
    combined: dict[str, int] = {}
    for i, _, words in corpus:
        if i in scores:
            distinct = set(output)
            ideal = sum(weight(w, i) for w in distinct) * 22 // 10
            best = 0
            for at in range(0, len(words), 128):
                chunk = words[at : at + 128]
                best = max(best, sum(
                    weight(w, i) * tf * 11264 // (5120 * tf + 12 * (128 + 3 * len(chunk)))
                    for w in distinct if (tf := chunk.count(w))
                ))
            combined[i] = scores[i] * (65536 + ((best << 16) // ideal if ideal else 0)) >> 16
    ids = sorted((i for i in combined if combined[i]), key=id_key)
    parts = fixed.share_out((1 << 32) - 1, [combined[i] for i in ids])
    return {i: p for i, p in zip(ids, parts, strict=True) if p}


def random_words(rng: random.Random, size: int) -> list[str]:
    return [rng.choice(RARE if rng.random() < 0.6 else COMMON) for _ in range(size)]


def random_case(rng: random.Random) -> tuple[Corpus, list[str], list[str]]:
    """Contributions that copy from one another, and an output stitched together from them."""
    corpus: Corpus = []
    for _ in range(rng.randrange(1, 6)):
        words = random_words(rng, rng.randrange(0, 300 if rng.random() < 0.2 else 40))
        if corpus and rng.random() < 0.5:
            source = rng.choice(corpus)[2]
            cut = rng.randrange(0, len(source) + 1)
            words[rng.randrange(0, len(words) + 1) : 0] = source[cut : cut + rng.randrange(0, 20)]
        corpus.append((str(rng.randrange(1, 10**6)), rng.randrange(0, 4), words))
    output: list[str] = []
    for _ in range(rng.randrange(1, 5)):
        source = rng.choice(corpus)[2] or ["nothing"]
        cut = rng.randrange(0, len(source))
        output += source[cut : cut + rng.randrange(1, 15)] + (["unheard"] if rng.random() < 0.3 else [])
    prompt = output[2:8] if rng.random() < 0.3 else random_words(rng, 10)
    return corpus, output, prompt


@pytest.mark.parametrize("seed", range(120))
def test_the_index_gives_what_the_definition_says(seed: int) -> None:
    corpus, output, prompt = random_case(random.Random(seed))
    rows, spans = attribute(corpus, output, prompt)
    assert rows == plain_attribution(corpus, output, prompt)
    assert sum(rows.values()) in (0, (1 << 32) - 1)
    assert {span.contribution_id for span in spans} >= set(rows)


@pytest.mark.parametrize("seed", range(60))
def test_what_is_registered_later_changes_no_earlier_score(seed: int) -> None:
    """Later copies, boilerplate or unrelated files: an earlier contribution's spans stay as they were."""
    rng = random.Random(1000 + seed)
    corpus, output, prompt = random_case(rng)
    later = [("900000001", 50, output + random_words(rng, 5)), ("900000002", 51, output), ("900000003", 52, ["wool"] * 30)]
    _, before = attribute(corpus, output, prompt)
    _, after = attribute(corpus + later, output, prompt)
    assert [s for s in after if not s.contribution_id.startswith("90000000")] == before


@pytest.mark.parametrize("seed", range(60))
def test_an_unrelated_contribution_changes_no_row(seed: int) -> None:
    rng = random.Random(2000 + seed)
    corpus, output, prompt = random_case(rng)
    for order in (0, 2, 99):  # before, among and after the others
        stranger = ("777777777", order, [f"other{i % 40}" for i in range(rng.randrange(1, 400))])
        assert attribute([*corpus, stranger], output, prompt)[0] == attribute(corpus, output, prompt)[0]


@pytest.mark.parametrize("seed", range(60))
def test_splitting_a_contribution_raises_no_span_score(seed: int) -> None:
    rng = random.Random(3000 + seed)
    corpus, output, prompt = random_case(rng)
    apart = [(i, 2 * order, words) for i, order, words in corpus]
    split, order, words = rng.choice(apart)
    cut = rng.randrange(len(words) + 1)
    pieces = [(split, order, words[:cut]), ("888888888", order + 1, words[cut:])]
    _, before = attribute(apart, output, prompt)
    _, after = attribute([row for row in apart if row[0] != split] + pieces, output, prompt)
    assert sum(s.score for s in after if s.contribution_id in (split, "888888888")) <= sum(
        s.score for s in before if s.contribution_id == split
    )


def test_a_later_copy_takes_nothing() -> None:
    text = "the warden raises the amber flag when the state of charge falls below thirty five percent".split()
    alone, _ = attribute([("1", 0, text)], text)
    copied, _ = attribute([("1", 0, text), ("2", 1, text), ("3", 2, ["my", "own", "words", *text, "and", "more"])], text)
    assert alone == copied == {"1": (1 << 32) - 1}


def test_offsets_are_bytes_of_the_output() -> None:
    text = "»Die Größe der Ausgleichsladung übersteigt zwölf Ampere«"
    words = [w.text for w in split_words(text)]
    _, spans = attribute_output(index_of([("1", 0, words)]), "", f"– {text} –")
    assert (f"– {text} –".encode()[spans[0].start : spans[0].end]).decode() == text[1:-1]


def test_a_saved_index_answers_alike(tmp_path: Path) -> None:
    corpus, output, prompt = random_case(random.Random(3))
    index = index_of(corpus)
    save_index(index, tmp_path)
    loaded = load_index(tmp_path)
    assert loaded.root == index.root
    args = " ".join(prompt), " ".join(output)
    assert attribute_output(loaded, *args) == attribute_output(index, *args)


def test_the_root_names_the_content_and_the_order() -> None:
    one, two = ("1", 0, ["a", "b"]), ("2", 1, ["c"])
    assert index_of([one, two]).root == index_of([two, one]).root
    assert index_of([one, two]).root != index_of([("1", 1, ["a", "b"]), ("2", 0, ["c"])]).root
    assert index_of([one, two]).root != index_of([("1", 0, ["a"]), two]).root


def test_of_too_many_rows_the_highest_are_kept() -> None:
    text = "the warden raises the amber flag when the state of charge falls below thirty five percent".split()
    corpus: Corpus = [(str(i + 1), 0, text) for i in range(10_050)]
    rows, spans = attribute(corpus, text)
    assert len(spans) == 10_050 and len(rows) == 10_000
    # Joint owners share each word's bits; the lowest ids get what is left over, so the highest ids are left out.
    assert "10000" in rows and "10001" not in rows
