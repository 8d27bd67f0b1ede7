from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from driver import BASE, Engine, files


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
