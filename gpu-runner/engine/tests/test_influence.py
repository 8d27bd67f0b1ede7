"""influence-0: each method against brute force on a model small enough for it, and the prior that is made of them."""

from __future__ import annotations

import itertools
import json
import random
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from driver import BASE, Engine, files
from test_evidence import VECTORS

from openledger_engine.influence import datainf, ekfac, trak
from openledger_engine.influence.gradients import IGNORED, Example, dot, gradient_of, gradients_of, token_losses
from openledger_engine.influence.prior import HIGHEST, prior_root, quantise, weighted
from openledger_engine.methods import Job

QUIET = Job(lambda *_: None)


class Bigram(torch.nn.Module):
    """Logits are a linear map of a fixed vector of the current token: the whole Fisher matrix can be written down."""

    def __init__(self, vectors: torch.Tensor, vocabulary: int) -> None:
        super().__init__()
        self.vectors = vectors
        self.head = torch.nn.Linear(vectors.shape[1], vocabulary, bias=False)

    def forward(self, input_ids: torch.Tensor, use_cache: bool) -> Any:
        return SimpleNamespace(logits=self.head(self.vectors[input_ids]))


def bigram(same_input: bool) -> Bigram:
    torch.manual_seed(3)
    vectors = torch.randn(5, 3)
    return Bigram(vectors[:1].repeat(5, 1) if same_input else vectors, 5)


def example(ids: list[int]) -> Example:
    row = np.array(ids)
    return Example(row, np.where(np.arange(len(row)) > 0, row, IGNORED))


def test_gradients_are_those_of_finite_differences_and_sum_over_owners() -> None:
    model, row = bigram(False), example([0, 3, 1, 4, 2, 2])
    whole = gradient_of(model, row)[0]
    with torch.no_grad():
        for place in itertools.product(range(5), range(3)):
            losses = []
            for step in (1e-2, -1e-2):
                model.head.weight[place] += step
                losses.append(float(token_losses(model, row)[0].sum()))
                model.head.weight[place] -= step
            assert float(whole[place]) == pytest.approx((losses[0] - losses[1]) / 2e-2, abs=1e-3)
    parts = dict(gradients_of(model, row, np.array([7, 7, 0, 0, -1, 7])))
    rest = next(g for n, g in gradients_of(model, row, np.array([-1, -1, -1, -1, 1, -1])))
    assert sorted(parts) == [0, 7]
    assert torch.allclose(parts[0][0] + parts[7][0] + rest[0], whole, atol=1e-6)


def test_ekfac_is_exact_where_the_fisher_is_a_kronecker_product() -> None:
    """One input vector for all tokens: the Fisher is E[g g'] x a a', which its factors give without loss."""
    model = bigram(True)
    rows = [example([i % 5, j % 5]) for i in range(8) for j in range(8)]  # one label each: no sums within an example
    [factors] = ekfac.measure(model, rows, 5, QUIET)
    generator = torch.Generator().manual_seed(5)
    fisher = torch.zeros(15, 15, dtype=torch.float64)
    for row in rows:
        _, logits = token_losses(model, row)
        drawn = torch.multinomial(logits.softmax(-1), 1, generator=generator)[:, 0]
        model.zero_grad()
        torch.nn.functional.cross_entropy(logits, drawn).backward()
        g = model.head.weight.grad.double().flatten()
        fisher += torch.outer(g, g) / len(rows)
    damping = ekfac.DAMPING * fisher.diagonal().mean()
    query = torch.randn(5, 3, dtype=torch.float64)
    exact = torch.linalg.solve(fisher + damping * torch.eye(15), query.flatten()).reshape(5, 3)
    assert torch.allclose(factors.solve(query).double(), exact, rtol=1e-3, atol=1e-4 * float(exact.abs().max()))


def test_ekfac_is_nearer_to_the_exact_inverse_than_no_inverse_is() -> None:
    model = bigram(False)
    rng = random.Random(2)
    rows = [example([rng.randrange(5), rng.randrange(5)]) for _ in range(200)]
    [factors] = ekfac.measure(model, rows, 6, QUIET)
    generator = torch.Generator().manual_seed(6)
    fisher = torch.zeros(15, 15, dtype=torch.float64)
    for row in rows:
        _, logits = token_losses(model, row)
        drawn = torch.multinomial(logits.softmax(-1), 1, generator=generator)[:, 0]
        g = torch.autograd.grad(torch.nn.functional.cross_entropy(logits, drawn), model.head.weight)[0].double().flatten()
        fisher += torch.outer(g, g) / len(rows)
    query = torch.randn(15, dtype=torch.float64)
    exact = torch.linalg.solve(fisher + ekfac.DAMPING * fisher.diagonal().mean() * torch.eye(15), query)
    cosine = torch.nn.functional.cosine_similarity
    ours = factors.solve(query.reshape(5, 3)).double().flatten()
    assert cosine(ours, exact, dim=0) > 0.9 > cosine(query, exact, dim=0) + 0.05


def test_datainf_is_the_mean_of_inverses_and_exact_for_one_gradient() -> None:
    torch.manual_seed(4)
    rows, query, damping = torch.randn(6, 9).double(), torch.randn(2, 9).double(), 0.3
    inverses = [torch.linalg.inv(torch.outer(g, g) + damping * torch.eye(9)) for g in rows]
    assert torch.allclose(datainf.solve_layer(rows, query, damping), query @ torch.stack(inverses).mean(0))
    assert torch.allclose(datainf.solve_layer(rows[:1], query, damping), query @ inverses[0])


def test_datainf_nears_the_exact_inverse_as_damping_grows() -> None:
    """(H + d)^-1 and the mean of inverses differ by O(1 / d^3), beside 1 / d itself: Kwon et al., theorem 1."""
    torch.manual_seed(5)
    rows, query = torch.randn(6, 9).double(), torch.randn(1, 9).double()
    errors = []
    for damping in (10.0, 100.0):
        exact = torch.linalg.solve(rows.T @ rows / 6 + damping * torch.eye(9), query.T).T
        errors.append(float((datainf.solve_layer(rows, query, damping) - exact).norm() / exact.norm()))
    assert errors[1] < errors[0] / 30


def test_projections_keep_inner_products_and_trak_is_ridge_regression() -> None:
    torch.manual_seed(6)
    one, other = [torch.randn(8, 5), torch.randn(4, 3)], [torch.randn(8, 5), torch.randn(4, 3)]
    projected = [trak.project([one, other], 512, seed) for seed in range(40)]
    mean = float(np.mean([float(a @ b) for a, b in projected]))
    spread = float(np.sqrt(dot(one, one) * dot(other, other)))
    assert abs(mean - dot(one, other)) < 4 * spread / np.sqrt(512 * 40)
    train, queries = torch.randn(7, 4).double(), torch.randn(2, 4).double()
    ridge = 0.01 * float((train.T @ train).diagonal().mean())
    exact = queries @ torch.linalg.inv(train.T @ train + ridge * torch.eye(4)) @ train.T
    assert torch.allclose(trak.scores(train, queries), exact)


def test_a_prior_is_positive_bounded_and_keeps_the_order() -> None:
    rng = random.Random(7)
    for _ in range(200):
        scores = [rng.gauss(0.2, 1) * 10 ** rng.uniform(-3, 3) for _ in range(rng.randrange(1, 20))]
        prior = quantise(scores)
        assert all(0 <= p <= HIGHEST and (p == 0 or s > 0) for p, s in zip(prior, scores, strict=True))
        assert max(prior) == (HIGHEST if max(scores) > 0 else 0)
        by_score = [p for _, p in sorted(zip(scores, prior, strict=True))]
        assert by_score == sorted(by_score)
    assert quantise([1, 1, 1, 1_000_000]) == [HIGHEST // 8] * 3 + [HIGHEST]  # clipped at eight times the median


def test_weighted_rows() -> None:
    rows = [("1", 1 << 31), ("2", (1 << 31) - 1)]
    prior = {"1": HIGHEST, "2": HIGHEST // 2}
    assert weighted(rows, prior, 10_000) == weighted(rows, {}, 10_000) == rows
    assert weighted(rows, {"2": 1}, 0) == [("2", (1 << 32) - 1)]
    assert weighted(rows, {}, 0) == []
    shares = [dict(weighted(rows, prior, bps)).get("1", 0) for bps in (10_000, 5_000, 1_000, 0)]
    assert shares == sorted(shares) and all(sum(dict(weighted(rows, prior, b)).values()) == (1 << 32) - 1 for b in (0, 9_999))
    assert prior_root([("10", 1), ("9", 2)]) == prior_root([("9", 2), ("10", 1)]) != prior_root([("9", 1), ("10", 2)])


@pytest.fixture(scope="module")
def two_files(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """The beginnings of two samples."""
    folder, listed = tmp_path_factory.mktemp("beginnings"), []
    for file in (file for file in files() if file["contribution_id"] in ("3", "5")):
        path = folder / Path(file["path"]).name
        path.write_text(Path(file["path"]).read_text("utf-8")[:2500], "utf-8")
        listed.append(file | {"path": str(path)})
    return listed


@pytest.fixture(scope="module")
def adapter(engine: Engine, two_files: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A short run on two files."""
    folder = tmp_path_factory.mktemp("two-files")
    params = {"max_steps": 6, "max_length": 128, "learning_rate": 1e-2, "replay_share": 0.0}
    request = {"base": str(BASE), "files": two_files, "params": params, "output": str(folder), "suites": []}
    return engine.result("train", **request) | {"folder": folder}


def test_influence_of_an_adapter(
    engine: Engine, two_files: list[dict[str, str]], adapter: dict[str, Any], tmp_path: Path
) -> None:
    """The contributor whose own text is asked for has moved the adapter most towards it; twice the same, bit for bit."""
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"text": Path(two_files[1]["path"]).read_text("utf-8")[:1500]}) + "\n", "utf-8")
    request = {"base": str(BASE), "adapter": str(adapter["folder"]), "files": two_files, "rows_path": str(rows)}
    found = engine.result("influence", **request)
    assert found["method"] == "influence-0" and found["adapter"] == adapter["weights_sha256"]
    prior = {row["contribution_id"]: row["weight"] for row in found["prior"]}
    assert set(prior) == {"3", "5"} and prior["5"] == HIGHEST > prior["3"]
    assert found["root"] == prior_root(prior.items())
    assert engine.result("influence", **request) == found


def test_influence_refuses_other_files_and_adapters_without_a_record(
    engine: Engine, adapter: dict[str, Any], tmp_path: Path
) -> None:
    request = {"base": str(BASE), "adapter": str(adapter["folder"])}
    error = engine.error("influence", **request, files=files())
    assert error["code"] == "bad_params" and error["details"]["name"] == "files"
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 8}', "utf-8")
    (tmp_path / "adapter_model.safetensors").write_bytes((adapter["folder"] / "adapter_model.safetensors").read_bytes())
    assert engine.error("influence", base=str(BASE), adapter=str(tmp_path), files=files())["code"] == "unknown_adapter"


def test_training_measures_influence_when_asked(
    engine: Engine, two_files: list[dict[str, str]], adapter: dict[str, Any], tmp_path: Path
) -> None:
    """The same prior as `influence` gives afterwards, the same weights as without it; the estimate and the warnings know."""
    assert "influence" not in adapter
    params = {"max_steps": 6, "max_length": 128, "learning_rate": 1e-2, "replay_share": 0.0, "influence_lambda_bps": 5_000}
    request = {"base": str(BASE), "files": two_files, "params": params}
    run = engine.result("train", **request, output=str(tmp_path), suites=[])
    assert run["weights_sha256"] == adapter["weights_sha256"] and run["config_sha256"] != adapter["config_sha256"]
    found = engine.result("influence", base=str(BASE), adapter=str(tmp_path), files=two_files)
    assert run["influence"] == {"lambda_bps": 5_000, "root": found["root"], "prior": found["prior"]}
    assert {path.name for path in tmp_path.iterdir()} == {"adapter_model.safetensors", "adapter_config.json", "record.json"}

    without = request | {"params": params | {"influence_lambda_bps": 10_000}}
    seconds = [engine.result("estimate", **one)["seconds"] for one in (without, request)]
    assert seconds[1] > seconds[0]
    nothing = request | {"heldout_share_bps": 0, "params": params | {"max_steps": 1}}
    warned = engine.result("train", **nothing, output=str(tmp_path / "none"), suites=[])
    assert "influence" not in warned and "no_influence" in [warning["code"] for warning in warned["warnings"]]


def test_the_prior_weighs_evidence_only_when_asked(engine: Engine, tmp_path: Path) -> None:
    index = str(tmp_path)
    engine.result("index_corpus", index=index, files=files())
    output = " ".join(Path(files()[i]["path"]).read_text("utf-8")[200:500] for i in (0, 4))
    request = {"index": index, "prompt_text": "", "output_text": output}
    plain = engine.result("attribute", **request)
    ids = [row["contribution_id"] for row in plain["rows"]]
    assert plain["method"] == "evidence-0" and len(ids) == 2
    prior = [{"contribution_id": ids[0], "weight": HIGHEST}, {"contribution_id": ids[1], "weight": 0}]
    assert engine.result("attribute", **request, prior=prior) == plain
    half = engine.result("attribute", **request, prior=prior, lambda_bps=5_000)
    assert half["method"] == "influence-0" and half["spans"] == plain["spans"]
    assert half["rows"][1]["weight"] < plain["rows"][1]["weight"]
    assert [r["contribution_id"] for r in engine.result("attribute", **request, prior=prior, lambda_bps=0)["rows"]] == ids[:1]
    twice = engine.error("attribute", **request, prior=[prior[0], prior[0]], lambda_bps=0)
    assert twice["code"] == "bad_params" and twice["details"]["name"] == "prior"


def test_vectors_are_what_this_code_gives() -> None:
    sys.path.insert(0, str(VECTORS))
    import make_retrieval_vectors

    stored = json.loads((VECTORS / "influence-0.json").read_text("utf-8"))
    assert json.loads(json.dumps(make_retrieval_vectors.make_weighted())) == stored
