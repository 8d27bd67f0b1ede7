"""One measurement in a process of its own; prints its figures as JSON on the last line."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "gpu-runner" / "engine"))

from openledger_engine.runtime import prepare_environment  # noqa: E402

prepare_environment()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("make", "ours", "mixed", "single", "registered", "merged"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--adapters", default="64", help="how many distinct ones; several numbers for ours")
    parser.add_argument("--requests", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--rows", type=int, default=64, help="rows of a batch")
    arguments = parser.parse_args()
    base, adapters = arguments.folder / "base", arguments.folder / "adapters"
    counts = [int(text) for text in arguments.adapters.split(",")]
    if arguments.what == "make":
        import workload

        workload.make_base(arguments.device, base)
        workload.make_adapters(arguments.device, counts[0], adapters)
        figures: dict[str, object] = {}
    elif arguments.what in ("mixed", "single"):
        import peft_peer

        figures = peft_peer.throughput(
            arguments.what, base, adapters, counts[0], arguments.requests, arguments.rows, arguments.repeats
        )
    else:
        import ours

        if arguments.what == "ours":
            figures = ours.throughput(base, adapters, counts, arguments.requests, arguments.repeats)
        elif arguments.what == "registered":
            figures = ours.registered(base, adapters, counts[0], arguments.requests)
        else:
            figures = ours.merged(base, adapters)
    print(json.dumps(figures))


main()
