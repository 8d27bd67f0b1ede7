"""Drives the real engine process over its pipes."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgpack

ENGINE = Path(__file__).parent.parent
BASE = ENGINE.parent / "models" / "openledger-small"
SAMPLES = ENGINE.parent / "samples"
ACCEPTED = (
    ("1", "ana/daily-running.md"), ("2", "ana/islanding-drill.md"), ("3", "bo/member-meters.txt"),
    ("4", "bo/panel-care.docx"), ("5", "chi/battery-shed.md"), ("6", "chi/storm-plan.pdf"),
)


def files() -> list[dict[str, str]]:
    return [
        {"contribution_id": i, "path": str(SAMPLES / name), "format": name.rpartition(".")[2]} for i, name in ACCEPTED
    ]


class Engine:
    def __init__(self, **environment: str) -> None:
        settings = os.environ | {"PYTHONPATH": str(ENGINE), "HF_HUB_OFFLINE": "1"} | environment
        self.process = subprocess.Popen(
            [sys.executable, "-m", "openledger_engine"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=settings,
        )
        self._last = 0

    def write(self, data: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, frame: Any) -> None:
        body = msgpack.packb(frame)
        self.write(struct.pack(">I", len(body)) + body)

    def start(self, method: str, **params: Any) -> int:
        self._last += 1
        self.send({"id": self._last, "method": method, "params": params})
        return self._last

    def read(self) -> dict[str, Any]:
        assert self.process.stdout
        head = self.process.stdout.read(4)
        assert len(head) == 4, "the engine closed its output"
        return dict(msgpack.unpackb(self.process.stdout.read(struct.unpack(">I", head)[0])))

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The final frame; the events before it are under `events`."""
        request, events = self.start(method, **params), []
        while True:
            frame = self.read()
            assert frame["id"] == request
            if "event" not in frame:
                return frame | {"events": events}
            events.append(frame)

    def result(self, method: str, **params: Any) -> dict[str, Any]:
        frame = self.call(method, **params)
        assert "result" in frame, frame
        return dict(frame["result"])

    def error(self, method: str, **params: Any) -> dict[str, Any]:
        frame = self.call(method, **params)
        assert "error" in frame, frame
        return dict(frame["error"])

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass
