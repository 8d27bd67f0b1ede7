"""The fused layers are PEFT's but for rounding: values, gradients, dropout, and whatever switches an adapter off."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from peft.tuners.lora.layer import Linear

from openledger_engine.training.fused_lora import fuse


def adapted(bias: bool = False, **settings: Any) -> Any:
    torch.manual_seed(2)
    model = torch.nn.Sequential(torch.nn.Linear(12, 20, bias=bias), torch.nn.Tanh(), torch.nn.Linear(20, 7, bias=bias))
    config = LoraConfig(r=3, lora_alpha=5, target_modules=["0", "2"], init_lora_weights=False, **settings)
    return get_peft_model(model, config)


def learnt(model: Any, x: torch.Tensor) -> list[torch.Tensor]:
    """The output and all gradients, that of the input first."""
    x = x.clone().requires_grad_()
    torch.manual_seed(4)
    out = model(x)
    out.square().sum().backward()
    return [out.detach(), x.grad, *(p.grad for p in model.parameters() if p.requires_grad)]


@pytest.mark.parametrize("settings", [{}, {"bias": True}, {"lora_dropout": 0.4}, {"use_rslora": True}])
def test_values_and_gradients_are_those_of_peft(settings: dict[str, Any]) -> None:
    plain, x = adapted(**settings), torch.randn(2, 5, 12, generator=torch.Generator().manual_seed(3))
    fused = copy.deepcopy(plain)
    fuse(fused)
    assert sum(type(module).__name__ == "FusedLinear" for module in fused.modules()) == 2
    for mine, wanted in zip(learnt(fused, x), learnt(plain, x), strict=True):
        assert torch.allclose(mine, wanted, atol=1e-5)


def test_an_adapter_that_is_switched_off_or_merged_is_not_added() -> None:
    model, x = adapted(), torch.randn(3, 12, generator=torch.Generator().manual_seed(5))
    fuse(model)
    with torch.no_grad():
        told = model(x)
        with model.disable_adapter():
            assert not torch.allclose(model(x), told, atol=1e-3)
        assert torch.equal(model(x), told)
        assert torch.allclose(model.merge_and_unload()(x), told, atol=1e-5)


def test_half_precision_and_other_layers_stay_as_peft_has_them() -> None:
    model, x = adapted(), torch.randn(3, 12)
    plain = copy.deepcopy(model)
    fuse(model)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(model(x), plain(x))
    for settings in ({"use_dora": True}, {"lora_bias": True}):
        other = adapted(bias=True, **settings)
        fuse(other)
        assert {type(m) for m in other.modules() if isinstance(m, Linear)} == {Linear}
