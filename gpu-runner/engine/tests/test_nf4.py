from __future__ import annotations

from pathlib import Path

import pytest
import tiny
import torch
from peft import LoraConfig, get_peft_model
from test_families import run

from openledger_engine.models.load import load_model, load_quantised
from openledger_engine.models.nf4 import dequantise, levels, quantise, quantise_model, quantise_scales, scales_of

# The 16 values that the QLoRA paper prints (appendix E).
PUBLISHED = (
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
)


def test_the_levels_are_the_published_ones() -> None:
    assert levels() == pytest.approx(PUBLISHED, abs=2e-6)


def test_a_weight_becomes_the_nearest_level_of_its_block() -> None:
    weight = torch.randn(48, 100, generator=torch.Generator().manual_seed(3))
    packed, scales = quantise(weight)
    assert packed.dtype == torch.uint8 and len(packed) == 48 * 100 // 2 and len(scales) == 48 * 100 // 64
    found = dequantise(packed, scales, (48, 100), torch.float32).reshape(-1, 64)
    blocks, table = weight.reshape(-1, 64), torch.tensor(PUBLISHED)
    scaled = blocks / blocks.abs().amax(dim=1, keepdim=True)
    nearest = table[(scaled[..., None] - table).abs().argmin(dim=-1)] * blocks.abs().amax(dim=1, keepdim=True)
    assert torch.allclose(found, nearest, atol=1e-5)


def test_levels_and_zeros_survive_exactly_and_odd_sizes_too() -> None:
    exact = torch.tensor(levels()).repeat(5)[:77].reshape(7, 11)
    assert torch.allclose(dequantise(*quantise(exact), (7, 11), torch.float32), exact, atol=1e-7)
    assert not dequantise(*quantise(torch.zeros(3, 64)), (3, 64), torch.float32).any()


def test_scales_in_8_bits_are_close() -> None:
    scales = torch.rand(1000, generator=torch.Generator().manual_seed(5)) + 0.5
    small, largest, mean = quantise_scales(scales)
    assert small.dtype == torch.int8 and len(largest) == 4
    assert (scales_of(small, largest, mean) - scales).abs().max() < 0.5 / 127


@pytest.mark.parametrize(("double", "most"), [(False, 0.5 + 4 / 64 + 0.001), (True, 0.5 + 1 / 64 + 4 / 64 / 256 + 0.003)])
def test_memory_is_what_four_bits_take(double: bool, most: float) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(256, 512, bias=False))
    model.get_output_embeddings = lambda: None  # type: ignore[assignment]
    assert quantise_model(model, double) == 1
    held = [*model[0].parameters(), *model[0].buffers()]
    assert sum(t.numel() * t.element_size() for t in held) / (256 * 512) <= most


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_qlora_trains_the_adapter_alone_and_repeats_to_the_bit(family: str, tmp_path: Path) -> None:
    base = tiny.make(family, tmp_path / "base")
    first = run(base, tmp_path / "a", method="qlora", dropout=0.1)
    assert first["loss_curve"][-1]["loss"] < first["loss_curve"][0]["loss"] - 0.005
    second = run(base, tmp_path / "b", method="qlora", dropout=0.1)
    assert (first["weights_sha256"], first["loss_curve"]) == (second["weights_sha256"], second["loss_curve"])
    assert '"quantisation":"openledger"' in (tmp_path / "a" / "record.json").read_text()


def test_gradients_flow_through_a_quantised_layer(tmp_path: Path) -> None:
    """As through a dense layer that holds the dequantised weights; the adapter sees inputs of other layers' adapters."""
    folder = tiny.make("gpt2", tmp_path)
    gradients = []
    for quantised in (True, False):
        model = load_quantised(folder, "float32", True)[0]
        if not quantised:
            made = {name: module.dense(torch.float32) for name, module in model.named_modules() if hasattr(module, "dense")}
            model = load_model(folder, "float32")
            for name, weight in made.items():
                model.get_submodule(name).weight.data = weight.T.contiguous()
        torch.manual_seed(0)
        adapted = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False))
        ids = torch.arange(1, 33).reshape(1, 32)
        adapted(input_ids=ids, labels=ids).loss.backward()
        named = {name: p for name, p in adapted.named_parameters() if p.grad is not None}
        assert named and all("lora_" in name for name in named)
        gradients.append([p.grad for _, p in sorted(named.items())])
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(*gradients, strict=True))
