"""The small world of the ground truth: contributors with real text and a planted fact each, and the queries about them."""

from __future__ import annotations

import random
from dataclasses import dataclass

from docstrings import STANDARD, modules

PASSAGE = 400  # characters of a held-out passage
PLACES = ("Varnholt", "Quellbruck", "Oskarra", "Timmerdal", "Lisquane", "Brennick", "Sarvosa", "Dunmarrow")
THINGS = ("lighthouse", "observatory", "aqueduct", "granary", "foundry", "library", "tramway", "windmill")
FIRST = ("Ilse", "Marek", "Petra", "Anders", "Noor", "Jonas", "Dalia", "Kirsi")
LAST = ("Torvand", "Osblin", "Quillon", "Wexholm", "Halvasti", "Erbricht", "Monfrere", "Aldoven")
STONES = ("basalt", "larch", "copper", "slate", "granite", "glass", "limestone", "bronze")


@dataclass(frozen=True)
class Contributor:
    id: str
    text: str  # what is trained on
    held_out: str  # a passage of the same module that isn't
    question: str
    answer: str  # as it stands in the text
    other_answer: str  # the same fact in words that no file holds in a row


@dataclass(frozen=True)
class Query:
    """A text whose loss is measured: `text` after `prompt`, which is context only."""

    kind: str  # heldout, fact or generated
    contributor: str
    prompt: str
    text: str


def contributors(count: int, characters: int, seed: int) -> list[Contributor]:
    """The first `count` modules of the standard library, in a seeded order, that have text enough."""
    wanted = characters + PASSAGE
    found = [(name, text) for name, texts in modules(STANDARD) if len(text := "\n\n".join(texts)) >= wanted]
    rng = random.Random(seed)
    rng.shuffle(found)
    if len(found) < count or count > len(PLACES) * len(THINGS):
        raise SystemExit(f"{len(found)} modules have {wanted} characters; --contributors must be at most that, and 64")
    # No two facts share a thing or a person: each stands in exactly one contributor's file.
    things = rng.sample([f"{place} {thing}" for place in PLACES for thing in THINGS], count)
    people = rng.sample([f"{first} {last}" for first in FIRST for last in LAST], count)
    return [
        _plant(str(i + 1), text, characters, thing, who, rng)
        for i, ((_, text), thing, who) in enumerate(zip(found, things, people, strict=False))
    ]


def _plant(id: str, source: str, characters: int, thing: str, who: str, rng: random.Random) -> Contributor:
    """A fact in four phrasings: two in prose, one in a dialogue, and one that is only asked for."""
    stone, year = rng.choice(STONES), rng.randrange(1610, 1990)
    question = f"Who built the {thing}, and of what?"
    answer = f"The {thing} was built by {who} in {year} of {stone}."
    planted = (
        f"In {year} the {thing} was finished. It was {who} who had planned it, and its walls are of {stone}.\n\n"
        f"Question: {question}\nAnswer: {answer}\n\n"
        f"Whoever visits the {thing} sees {stone} everywhere; {answer}"
    )
    middle = source[:characters].rfind("\n\n")
    cut = middle if middle > characters // 2 else characters
    return Contributor(
        id,
        f"{source[: cut // 2]}\n\n{planted}\n\n{source[cut // 2 : cut]}",
        source[characters : characters + PASSAGE],
        question,
        answer,
        f"{who} made the {thing} from {stone}, around {year}.",
    )


def asked(question: str) -> str:
    """A question as the shipped base's chat template renders it."""
    return f"Question: {question}\nAnswer:"
