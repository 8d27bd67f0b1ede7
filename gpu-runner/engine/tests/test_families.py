from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
from driver import files
from peft import PeftModel

from openledger_engine.methods import Job
from openledger_engine.models.load import load_model, load_tokenizer
from openledger_engine.training.objective import token_losses
from openledger_engine.training.rows import TrainFile
from openledger_engine.training.train import TrainParams, train

PROMPT = "Question: When are the panels washed?\nAnswer:"
# A step sees all the data, so that the losses of two steps are comparable.
SHORT = {
    "epochs": 5, "max_length": 64, "batch_size": 64, "rank": 4, "learning_rate": 2e-2, "scheduler": "constant", "replay_share": 0.0,
}


def run(base: Path, output: Path, **params: Any) -> dict[str, Any]:
    listed = tuple(TrainFile(f["contribution_id"], f["path"], f["format"]) for f in files()[4:5])
    request = TrainParams(base=str(base), files=listed, params=SHORT | params, output=str(output), suites=())
    return train(request, Job(lambda *_: None))


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_every_family_trains_saves_reloads_and_speaks(family: str, tmp_path: Path) -> None:
    base, output = tiny.make(family, tmp_path / "base"), tmp_path / "adapter"
    result = run(base, output)
    losses = [row["loss"] for row in result["loss_curve"]]
    assert min(losses) < losses[0] - 0.005

    tokenizer = load_tokenizer(base)
    ids = torch.tensor([tokenizer(PROMPT)["input_ids"]])
    bare = load_model(base, "float32").eval()
    with torch.inference_mode():
        plain = bare(ids).logits
        first = PeftModel.from_pretrained(bare, str(output)).eval()
        adapted = first(ids).logits
        again = PeftModel.from_pretrained(load_model(base, "float32"), str(output)).eval()(ids).logits
        with first.disable_adapter():
            switched_off = first(ids).logits
        merged = PeftModel.from_pretrained(load_model(base, "float32"), str(output)).merge_and_unload().eval()
        assert torch.equal(adapted, again) and torch.equal(plain, switched_off)
        assert not torch.allclose(adapted, plain, atol=1e-4)
        assert torch.allclose(merged(ids).logits, adapted, atol=1e-4)
        spoken = first.generate(input_ids=ids, max_new_tokens=8, do_sample=False, pad_token_id=0)
    assert spoken.shape[1] > ids.shape[1]


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_the_sliced_loss_equals_the_models_own(family: str, tmp_path: Path) -> None:
    """Values and the gradient of the first layer's weights, where a family's trap (scaled logits, a bias) would show."""
    model = load_model(tiny.make(family, tmp_path), "float32")
    ids = torch.randint(1, 3000, (2, 40), generator=torch.Generator().manual_seed(1))
    learnt = torch.ones_like(ids, dtype=torch.bool)
    learnt[1, 25:] = False
    labels = torch.where(learnt, ids, -100)
    weight = next(p for name, p in model.named_parameters() if "layers.0" in name or "h.0" in name)
    model.get_output_embeddings().weight.requires_grad_(False)

    own = model(input_ids=ids, labels=labels).loss
    own.backward()
    own = own.detach()
    wanted, weight.grad = weight.grad, None
    losses = token_losses(model, ids, learnt)
    losses.mean().backward()
    assert float(losses.mean().detach()) == pytest.approx(float(own), abs=1e-5)
    assert torch.allclose(weight.grad, wanted, atol=1e-6)


def test_experts_of_a_mixture_are_told_to_stay_as_they_are(tmp_path: Path) -> None:
    result = run(tiny.make("deepseek_v3", tmp_path / "base"), tmp_path / "adapter", max_steps=1)
    assert "experts_untouched" in {warning["code"] for warning in result["warnings"]}
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert config["target_modules"] == ["kv_a_proj_with_mqa", "kv_b_proj", "o_proj", "q_a_proj", "q_b_proj"]
    assert not config["target_parameters"] and not config["rank_pattern"]


def test_modules_that_a_model_lacks_are_refused(tmp_path: Path) -> None:
    from openledger_engine.errors import EngineError

    base = tiny.make("gpt2", tmp_path / "base")
    for modules in (["no_such_layer"], ["(a+)+$"], [".*"], ["all-linear", "c_attn"], []):
        with pytest.raises(EngineError) as caught:
            run(base, tmp_path / "adapter", target_modules=modules)
        assert caught.value.code == "bad_params" and caught.value.details["name"] == "params.target_modules"
    assert not (tmp_path / "adapter" / "adapter_model.safetensors").exists()


def test_gradient_checkpointing_changes_memory_and_not_the_result(tmp_path: Path) -> None:
    base = tiny.make("qwen2", tmp_path / "base")
    curves = [
        [row["loss"] for row in run(base, tmp_path / str(on), gradient_checkpointing=on)["loss_curve"]]
        for on in (False, True)
    ]
    assert curves[0] == pytest.approx(curves[1], abs=1e-5)
