from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from driver import BASE, ENGINE, Engine, files


def test_models_that_are_made_at_once_have_their_weights(fresh: Engine) -> None:
    """Estimates make a model without memory, by a patch of the whole process; what loads beside them must have its own."""
    short = {"max_length": 64, "batch_size": 2}
    requests = [fresh.start("estimate", base=str(BASE), files=files(), params=short | {"rank": rank}) for rank in (1, 2, 3)]
    requests.append(fresh.start("load_base", model=str(BASE)))
    answers: dict[int, dict[str, object]] = {}
    while len(answers) < len(requests):
        frame = fresh.read()
        if "event" not in frame:
            answers[frame["id"]] = frame
    assert all("result" in answer for answer in answers.values()), answers


def test_loading_in_threads_gives_equal_models() -> None:
    from openledger_engine.models.load import load_model

    with ThreadPoolExecutor(4) as pool:
        models = list(pool.map(lambda _: load_model(BASE, "float32"), range(8)))
    sums = {float(sum(p.double().sum() for p in model.parameters())) for model in models}
    assert len(sums) == 1


FIRST_USE = """
import sys, threading
from pathlib import Path
sys.path[:0] = [sys.argv[1]]
from openledger_engine.models.load import load_model, load_tokenizer, read_config
from openledger_engine.models.making import peft_module
base, gate, failed = Path(sys.argv[2]), threading.Barrier(5), []
def use(work):
    gate.wait()
    try:
        work()
    except BaseException as error:
        failed.append(repr(error))
works = [lambda: load_tokenizer(base), lambda: load_model(base, "float32"), lambda: read_config(base), peft_module]
threads = [threading.Thread(target=use, args=(work,)) for work in [*works, lambda: load_tokenizer(base)]]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(failed)
"""


def test_the_libraries_bear_several_threads_at_first_use() -> None:
    """A process of its own each time: the first use comes once. Without the lock about four of five of them fail."""
    for _ in range(2):
        command = [sys.executable, "-c", FIRST_USE, str(ENGINE), str(BASE)]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        assert run.stdout == "[]\n", run.stdout
