"""Our side: the engine's `train` method, as the engine's server would call it."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from measured import Clock, report

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "gpu-runner/engine"))


def main() -> None:
    from openledger_engine.runtime import prepare_environment

    prepare_environment()
    from openledger_engine.methods import METHODS, Job, load_methods
    from openledger_engine.settings import build

    load_methods()
    request = json.loads((Path(sys.argv[1]) / "request.json").read_text("utf-8"))
    clock = Clock()

    def hear(event: str, _: dict[str, Any]) -> None:
        if event == "progress":
            clock.tick()

    method = METHODS["train"]
    with tempfile.TemporaryDirectory() as output:
        result = method.run(build(method.params, request | {"output": output, "suites": []}), Job(hear))
    report(clock, result["train_tokens"] / result["steps"], [row["loss"] for row in result["loss_curve"]])


main()
