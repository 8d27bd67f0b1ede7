"""One of several training processes, as torch's launcher starts it: `python -m ... worker REQUEST`."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from ..errors import as_engine_error
from ..methods import Job
from ..runtime import prepare_environment
from ..settings import build


def main() -> None:
    prepare_environment()
    from .processes import Together
    from .train import TrainParams, train_here

    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is a log, and no answer
    processes = Together()

    def write(frame: dict[str, Any]) -> None:
        if processes.rank == 0:
            answers.write(json.dumps(frame) + "\n")
            answers.flush()

    job = Job(lambda event, data: write({"event": event, "data": data}))
    signal.signal(signal.SIGTERM, lambda *_: job.cancelled.set())
    try:
        request = json.loads(Path(sys.argv[1]).read_text("utf-8"))
        write({"result": train_here(build(TrainParams, request), processes, job)})
    except BaseException as error:
        write({"error": as_engine_error(error).frame()})
        raise SystemExit(1) from error


main()
