"""The benchmark of attribution: every method against real retraining, and evidence-0 at scale. One JSON object on stdout.

    PYTHONPATH=gpu-runner/engine python bench/python/attribution/main.py --subsets 40 --queries 12
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import warnings
from typing import Any

# Before torch is imported: several processes share the cores.
os.environ.setdefault("OPENLEDGER_ENGINE_THREADS", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("TQDM_DISABLE", "1")
warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402

import lds  # noqa: E402
from lds import Floats  # noqa: E402
from world import Contributor  # noqa: E402

KINDS = ("heldout", "fact", "generated")


def judge(scores: Floats, truth: Any, seed: int) -> dict[str, float]:
    """A method's LDS with its interval, and by kind of query; recall of planted facts is of another table."""
    kinds = np.array([query.kind for query in truth.queries])
    found = lds.scores(scores, truth.subsets, truth.losses)
    low, high = lds.interval(scores, truth.subsets, truth.losses, seed)
    by_kind = {f"lds_{kind}": float(found[kinds == kind].mean()) for kind in KINDS if (kinds == kind).any()}
    return {"lds": float(found.mean()), "ldsLow": low, "ldsHigh": high, **by_kind}


def recalls(people: list[Contributor], truth: Any, rank: Any) -> dict[str, float]:
    """recall@1 and @5 of the fact's contributor, for its true answer, the answer in other words, and the model's own."""
    owners = list(range(len(people)))
    texts = {
        "true": [(p.question, p.answer) for p in people],
        "reworded": [(p.question, p.other_answer) for p in people],
        "model": [(p.question, truth.generated[p.id]) for p in people],
    }
    return {
        f"recall{k}_{name}": lds.recall(rank(people, pairs), owners, k) for name, pairs in texts.items() for k in (1, 5)
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--subsets", type=int, default=40, help="retrainings, each with half of the contributors")
    parser.add_argument("--queries", type=int, default=12, help="queries of each of three kinds")
    parser.add_argument("--contributors", type=int, default=24)
    parser.add_argument("--characters", type=int, default=2000, help="of each contributor's text")
    parser.add_argument("--megabytes", type=int, default=10, help="of the corpus at scale")
    parser.add_argument("--outputs", type=int, default=300, help="that are timed at scale")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    options = parser.parse_args()
    if options.queries > options.contributors or min(options.subsets, options.queries, options.outputs) < 4:
        parser.error("--queries must be at most --contributors; at least 4 subsets, queries and outputs")

    import methods
    import scale
    import truth as ground
    import world

    began = time.monotonic()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {what}", file=sys.stderr, flush=True)

    tell(f"evidence-0 on {options.megabytes} MB")
    at_scale = scale.measure(options.megabytes, options.outputs, options.seed)
    tell(f"retraining {options.subsets} subsets of {options.contributors} contributors")
    people = world.contributors(options.contributors, options.characters, options.seed)
    with tempfile.TemporaryDirectory(prefix="attribution-") as folder:
        truth = ground.measure(folder, people, options.subsets, options.queries, options.seed, options.processes)
        scores = methods.all_methods(people, truth, options.seed, tell)
    tell("judging")
    report = {
        "scale": at_scale,
        "methods": {name: judge(values, truth, options.seed) for name, values in scores.items()},
        "recall": {name: recalls(people, truth, rank) for name, rank in methods.LEXICAL.items()},
        "compared": {
            f"{one} - {other}": dict(zip(
                ("mean", "low", "high"), lds.difference(scores[one], scores[other], truth.subsets, truth.losses, options.seed),
                strict=True,
            ))
            for one, other in (("evidence0", "random"), ("evidence0", "bm25"), ("weighted", "evidence0"), ("ekfac", "evidence0"))
        },
        "truth": {
            "subsets": options.subsets, "queries": len(truth.queries), "contributors": len(people),
            # Two seeds of the same subsets: no method can be expected to predict better than a second training does.
            "seedCeiling": float(lds.spearman(truth.losses[: len(truth.again)].T, truth.again.T).mean()),
            "leftOutFound": left_out(truth, scores["ekfac"]),
        },
        "seconds": time.monotonic() - began,
    }
    print(json.dumps(report))


def left_out(truth: Any, scores: Floats) -> float:
    """Spearman of a score and the loss that leaving out one contributor costs, over queries; mean of the left-out ones."""
    costs = truth.without - truth.full
    return float(lds.spearman(scores[:, : len(costs)].T, costs).mean())


if __name__ == "__main__":
    main()
