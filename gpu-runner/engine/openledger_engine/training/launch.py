"""Runs one training in several processes of one machine: torch's launcher starts them, accelerate connects them."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import EngineError
from ..methods import Job

if TYPE_CHECKING:
    from .train import TrainParams

POLL_SECONDS = 0.2
END_SECONDS = 60


def launch(params: TrainParams, processes: int, job: Job) -> dict[str, Any]:
    """Passes the events of the first process on. Its last line is the result or the error."""
    with tempfile.TemporaryDirectory(prefix="openledger-train-") as folder:
        request = Path(folder) / "request.json"
        request.write_text(json.dumps(dataclasses.asdict(params)), "utf-8")
        command = [
            sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes),
            "-m", f"{__package__}.worker", str(request),
        ]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        over = threading.Event()
        watcher = threading.Thread(target=_end_when_cancelled, args=(child, job, over), daemon=True)
        watcher.start()
        try:
            return _relay(child, job)
        finally:
            over.set()
            _end(child)


def _relay(child: subprocess.Popen[str], job: Job) -> dict[str, Any]:
    assert child.stdout is not None
    for line in child.stdout:
        frame = json.loads(line)
        if "event" in frame:
            job.emit(frame["event"], frame["data"])
        elif "result" in frame:
            return dict(frame["result"])
        else:
            raise EngineError(frame["error"]["code"], frame["error"]["message"], frame["error"].get("details"))
    job.check()
    raise EngineError("internal", f"the training processes ended with status {child.wait()} and no answer")


def _end_when_cancelled(child: subprocess.Popen[str], job: Job, over: threading.Event) -> None:
    while not over.wait(POLL_SECONDS):
        if job.cancelled.is_set():
            child.terminate()
            return


def _end(child: subprocess.Popen[str]) -> None:
    try:
        child.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdout is not None:
        child.stdout.close()
