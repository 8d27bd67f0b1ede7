"""Makes evidence-0's table of ordinary English from the corpus of `openledger-small`.

    PYTHONPATH=../engine python reference_words.py --debs FOLDER_OF_DEB_FILES --work SCRATCH_FOLDER

A word's count is its rate per 2^20 words in that one of the four sources that uses it least: so the table holds the
words that any English text is made of, and none that belongs to one subject.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from corpus_small import READERS, SOURCES, unpack
from openledger_engine.evidence.words import split_words

NOMINAL = 1 << 20
SMALLEST = 4
TARGET = Path(__file__).parent.parent / "engine" / "openledger_engine" / "evidence" / "reference-words.json"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--debs", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    arguments = parser.parse_args()
    folders = unpack(arguments.debs, arguments.work)
    rates: list[dict[str, int]] = []
    for source in SOURCES:
        counts: Counter[str] = Counter()
        for document in READERS[source.package](folders[source.package]):
            counts.update(word.text for paragraph in document for word in split_words(paragraph))
        total = sum(counts.values())
        rates.append({word: count * NOMINAL // total for word, count in counts.items()})
    shared = set.intersection(*(set(rate) for rate in rates))
    least = {word: min(rate[word] for rate in rates) for word in shared}
    kept = {word: count for word, count in sorted(least.items()) if count >= SMALLEST and word.isalpha()}
    table = {
        "about": "occurrences in 2^20 words of ordinary English; the least of four sources' rates",
        "sources": [source.package for source in SOURCES],
        "counts": kept,
    }
    TARGET.write_text(json.dumps(table, indent=0, sort_keys=True) + "\n", "utf-8")
    print(len(kept), "words")


if __name__ == "__main__":
    main()
