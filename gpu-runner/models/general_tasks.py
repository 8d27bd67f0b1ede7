"""Makes the engine's general task suite: multiple-choice items from rules and short word lists, all of our own.

They ask for what any model of English has: sums, order, agreement, opposites, kinds. They are there to notice when
training on a domain took it away, not to rank models. The same script gives the same file.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

OUTPUT = Path(__file__).parent.parent / "engine/openledger_engine/evaluation/general-tasks.jsonl"
SEED = 1742
ITEMS_A_KIND = 80

Item = tuple[str, str, list[str]]  # context, right answer, wrong answers

NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
]
OPPOSITES = [
    "hot cold", "big small", "early late", "open closed", "full empty", "wet dry", "fast slow", "high low", "light dark",
    "long short", "new old", "rich poor", "soft hard", "strong weak", "tall short", "thick thin", "wide narrow", "young old",
    "clean dirty", "easy difficult", "first last", "good bad", "happy sad", "heavy light", "inside outside", "left right",
    "loud quiet", "many few", "near far", "right wrong", "rough smooth", "safe dangerous", "sharp blunt", "true false",
    "up down", "awake asleep", "alive dead", "above below", "before after", "cheap expensive",
]
KINDS = {
    "bird": "robin sparrow eagle owl swan", "tool": "hammer saw chisel wrench drill", "fruit": "apple pear plum cherry grape",
    "animal": "horse goat rabbit fox camel", "metal": "iron copper tin lead silver", "colour": "red green blue yellow brown",
    "vehicle": "car bus lorry bicycle tram", "tree": "oak pine birch elm maple",
}
PLURALS = "farmers engineers children teachers visitors neighbours sailors doctors clerks painters".split()
SINGULARS = "farmer engineer child teacher visitor neighbour sailor doctor clerk painter".split()
PLACES = ["in the yard", "on the hill", "near the river", "behind the house"]
VERBS = ["walk", "work", "wait", "listen", "talk", "play", "cook", "paint", "climb", "rest"]


def sums(chance: random.Random) -> Iterator[Item]:
    while True:
        a, b = chance.randint(1, 20), chance.randint(1, 20)
        right = a + b if chance.random() < 0.5 or a <= b else a - b
        sign = "plus" if right == a + b else "minus"
        wrong = {right + d for d in (-3, -2, -1, 1, 2, 10) if right + d >= 0}
        yield f"Question: What is {a} {sign} {b}?\nAnswer:", str(right), [str(n) for n in sorted(wrong)]


def order(chance: random.Random) -> Iterator[Item]:
    while True:
        names = chance.choice([NUMBERS, DAYS, MONTHS])
        start = chance.randrange(len(names) - 3)
        shown, right = names[start : start + 3], names[start + 3]
        yield ", ".join(shown) + ",", right, [name for name in names if name not in (*shown, right)]


def grammar(chance: random.Random) -> Iterator[Item]:
    while True:
        verb, place = chance.choice(VERBS), chance.choice(PLACES)
        forms = {"past": f"{verb.rstrip('e')}ed", "now": f"{verb}s", "plain": verb, "going": f"{verb}ing"}
        many, one = chance.choice(PLURALS), chance.choice(SINGULARS)
        if chance.random() < 0.5:
            context, right = chance.choice(
                [(f"Tomorrow the {chance.choice((one, many))} will", "plain"), (f"All day the {one} {place} kept", "going"),
                 (f"Since last year the {one} {place} has", "past")]
            )
            yield context, forms[right], [form for name, form in forms.items() if name != right]
        else:
            context, right = chance.choice([(f"The {many} {place}", "were"), (f"The {one} {place}", "was")])
            yield context, f"{right} tired", [f"{form} tired" for form in ("were", "was", "am", "be", "being") if form != right]


def words(chance: random.Random) -> Iterator[Item]:
    pairs = [pair.split() for pair in OPPOSITES]
    while True:
        if chance.random() < 0.5:
            asked, right = chance.choice(pairs)
            taken = {asked, right} | {w for pair in pairs if {asked, right} & set(pair) for w in pair}
            yield f"The opposite of {asked} is", right, sorted({pair[1] for pair in pairs} - taken)
        else:
            kind = chance.choice(sorted(KINDS))
            member = chance.choice(KINDS[kind].split())
            article = "An" if member[0] in "aeiou" else "A"
            near = {"animal": {"bird"}, "bird": {"animal"}, "fruit": {"tree"}, "tree": {"fruit"}}.get(kind, set())
            wrong = sorted(set(KINDS) - {kind} - near)
            if kind != "colour" and kind != "metal":
                yield f"{article} {member} is a kind of", kind, wrong
            else:
                yield f"The word for {member} names a", kind, wrong


def main() -> None:
    chance = random.Random(SEED)
    lines = []
    for name, make in (("sums", sums), ("order", order), ("grammar", grammar), ("words", words)):
        seen: set[str] = set()
        for context, right, wrong in make(chance):
            choices = [right, *chance.sample(wrong, 3)]
            chance.shuffle(choices)
            row = {"kind": name, "context": context, "choices": [f" {c}" for c in choices], "answer": choices.index(right)}
            line = json.dumps(row)
            if context not in seen:
                seen.add(context)
                lines.append(line)
            if len(seen) == ITEMS_A_KIND or (name == "order" and len(seen) == 22):
                break
    OUTPUT.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
