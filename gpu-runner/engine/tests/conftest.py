from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from driver import BASE, Engine, files

from openledger_engine.runtime import prepare_environment

prepare_environment()  # before a test imports torch: beside other tests, threads that spin cost more than they compute


@pytest.fixture
def fresh() -> Iterator[Engine]:
    """A process of the test's own, for tests that end it."""
    engine = Engine()
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """One process for all tests that leave it as they found it."""
    shared = Engine()
    yield shared
    shared.close()


@pytest.fixture(scope="session")
def base(engine: Engine) -> str:
    return str(engine.result("load_base", model=str(BASE))["base"])


@pytest.fixture(scope="session")
def trained(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A short run that the tests of training, serving and refining share."""
    output = tmp_path_factory.mktemp("adapter")
    params: dict[str, Any] = {"max_steps": 10, "max_length": 128, "learning_rate": 1e-2, "dropout": 0.1, "replay_share": 0.0}
    frame = engine.call("train", base=str(BASE), files=files(), params=params, output=str(output), suites=[])
    assert "result" in frame, frame
    return frame["result"] | {"events": frame["events"], "params": params, "folder": Path(output)}
