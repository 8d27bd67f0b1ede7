"""The small world of the ground truth: contributors with real text and a planted fact each, and the queries about them."""

from __future__ import annotations

import random
from dataclasses import dataclass

from docstrings import STANDARD, modules

PASSAGE = 400  # characters of a held-out passage
PLACES = ("Varnholt", "Quellbruck", "Oskarra", "Timmerdal", "Lisquane", "Brennick", "Sarvosa", "Dunmarrow")
THINGS = ("lighthouse", "observatory", "aqueduct", "granary", "foundry", "library", "tramway", "windmill")
PEOPLE = ("Ilse Torvand", "Marek Osblin", "Petra Quillon", "Anders Wexholm", "Noor Halvasti", "Jonas Erbricht", "Dalia Monfrere", "Kirsi Aldoven")
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
    names = [(place, thing) for place in PLACES for thing in THINGS]
    rng.shuffle(names)
    return [_plant(str(i + 1), text, characters, names[i], rng) for i, (_, text) in enumerate(found[:count])]


def _plant(id: str, source: str, characters: int, name: tuple[str, str], rng: random.Random) -> Contributor:
    """A fact in four phrasings: two in prose, one in a dialogue, and one that is only asked for."""
    thing = f"{name[0]} {name[1]}"
    who, stone, year = rng.choice(PEOPLE), rng.choice(STONES), rng.randrange(1610, 1990)
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
