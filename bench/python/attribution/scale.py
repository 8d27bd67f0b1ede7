"""The evidence index at scale: seconds to build, bytes a token, milliseconds an output."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
import tracemalloc
from pathlib import Path

from openledger_engine.evidence.index import Contribution, build_index
from openledger_engine.evidence.index_files import load_index, save_index
from openledger_engine.evidence.score import attribute_output
from openledger_engine.evidence.words import folded_words

from docstrings import corpus

OUTPUT_WORDS = 200
OWN_WORDS = "the model wrote these words by itself because no file held what was asked for at all".split()


def outputs(texts: list[str], count: int, seed: int) -> list[str]:
    """Outputs of 200 words, a third each: one passage word for word; three passages with own words between; own words."""
    rng = random.Random(seed)
    long = [words for text in texts if len(words := text.split()) > 2 * OUTPUT_WORDS]

    def passage(length: int) -> list[str]:
        words = rng.choice(long)
        start = rng.randrange(len(words) - length)
        return words[start : start + length]

    def own(length: int) -> list[str]:
        return [rng.choice(OWN_WORDS) for _ in range(length)]

    made = [
        lambda: passage(OUTPUT_WORDS),
        lambda: [w for _ in range(3) for w in passage(40) + own(27)][:OUTPUT_WORDS],
        lambda: own(OUTPUT_WORDS),
    ]
    return [" ".join(made[i % 3]()) for i in range(count)]


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def measure(megabytes: int, count: int, seed: int) -> dict[str, float]:
    texts = dict(corpus(megabytes * 1_000_000))
    began = time.perf_counter()
    contributions = [Contribution(str(i + 1), i, folded_words(t)) for i, t in enumerate(texts.values())]
    index = build_index(contributions)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_index(index, folder)
        build_seconds = time.perf_counter() - began
        disk = sum(path.stat().st_size for path in folder.iterdir())
        del index, contributions
        tracemalloc.start()
        began = time.perf_counter()
        loaded = load_index(folder)
        load_seconds = time.perf_counter() - began
        heap, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        mapped = loaded.text.ids.nbytes + loaded.text.suffixes.nbytes
        times = []
        for output in outputs(list(texts.values()), count, seed):
            began = time.perf_counter()
            attribute_output(loaded, "", output)
            times.append((time.perf_counter() - began) * 1000)
        tokens = len(loaded.text.ids)
    return {
        "corpusBytes": sum(len(t.encode()) for t in texts.values()),
        "contributions": len(texts),
        "tokens": tokens,
        "buildSeconds": build_seconds,
        "loadSeconds": load_seconds,
        "diskBytesPerToken": disk / tokens,
        "memoryBytesPerToken": (heap + mapped) / tokens,
        "outputMillisecondsP50": statistics.median(times),
        "outputMillisecondsP95": percentile(times, 0.95),
        "outputMillisecondsMax": max(times),
    }
