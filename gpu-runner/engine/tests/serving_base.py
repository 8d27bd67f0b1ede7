"""An in-process base with its scheduler, for tests that look inside a batch."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from openledger_engine.methods import Job
from openledger_engine.serving import bases
from openledger_engine.serving.bases import Base
from openledger_engine.serving.generate import generate
from openledger_engine.serving.load_adapter import LoadAdapterParams, load_adapter
from openledger_engine.serving.request import GenerateParams
from openledger_engine.serving.verify_output import VerifyParams, verify_output
from openledger_engine.settings import build


def quiet() -> Job:
    return Job(lambda event, data: None)


class Served:
    """The base of a folder, and adapters by the number they were added with."""

    def __init__(self, folder: Path) -> None:
        self.base: Base = bases.load(str(folder))
        self.adapters: list[str] = []

    def add(self, sha256: str, folder: Path, pinned: bool = False) -> None:
        load_adapter(LoadAdapterParams(sha256, str(folder), self.base.sha256, pinned), quiet())
        self.adapters.append(sha256)

    def start(self, job: Job | None = None, **params: Any) -> Any:
        return generate(build(GenerateParams, {"base": self.base.sha256} | params), job or quiet())

    def say(self, **params: Any) -> dict[str, Any]:
        return dict(self.start(**params).result(timeout=120))

    def verify(self, answer: dict[str, Any], **params: Any) -> dict[str, Any]:
        claim = {"output_token_ids": answer["output_token_ids"], "finish_reason": answer["finish_reason"]}
        request = build(VerifyParams, {"base": self.base.sha256} | claim | params)
        return dict(verify_output(request, quiet()).result(timeout=120))

    def hold(self) -> threading.Event:
        """Keeps the scheduler busy until the event is set, so that what is submitted meanwhile begins together."""
        release = threading.Event()
        entered = threading.Event()

        def wait() -> Any:
            entered.set()
            release.wait()
            return None
            yield

        self.base.scheduler.run_between(wait())
        entered.wait()
        return release
