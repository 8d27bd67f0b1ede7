"""4-bit NormalFloat (QLoRA, 2023): weights as indices into 16 levels, blocks of 64 with a scale each.

A stored weight takes half a byte, and its block's scale 4 / 64 bytes; with double quantisation the scales take one byte
each and 4 / 256 for theirs. The layer computes with the weights that the levels stand for, made anew in each pass.
"""

from __future__ import annotations

import functools
from statistics import NormalDist
from typing import Any

import numpy as np

from ..runtime import torch_module

BLOCK = 64
SCALE_BLOCK = 256
# The outermost quantile: the mean of the shares that leave half a level free among 15 and among 16.
OFFSET = 1 - (1 / 30 + 1 / 32) / 2


@functools.cache
def levels() -> tuple[float, ...]:
    """The 16 levels in rising order: quantiles of the normal distribution, 7 below zero, 8 above, scaled to -1..1."""
    quantile = NormalDist().inv_cdf
    above = [quantile(p) for p in np.linspace(OFFSET, 0.5, 9)[:-1]]
    below = [-quantile(p) for p in np.linspace(OFFSET, 0.5, 8)[:-1]]
    ordered = sorted([*below, 0.0, *above])
    return tuple(level / ordered[-1] for level in ordered)


def quantise(weight: Any) -> tuple[Any, Any]:
    """(two indices a byte, uint8 [n / 2]; scales, fp32 [blocks]) of a tensor. The last block is padded with zeros."""
    torch = torch_module()
    flat = weight.detach().reshape(-1).float()
    flat = torch.nn.functional.pad(flat, (0, -len(flat) % BLOCK)).reshape(-1, BLOCK)
    scales = flat.abs().amax(dim=1)
    table = torch.tensor(levels(), device=flat.device)
    middles = (table[1:] + table[:-1]) / 2
    index = torch.bucketize(flat / scales.clamp_min(1e-30)[:, None], middles).to(torch.uint8).reshape(-1)
    return index[::2] << 4 | index[1::2], scales


def quantise_scales(scales: Any) -> tuple[Any, Any, Any]:
    """(int8 [blocks], fp32 [blocks / 256], fp32 mean): scales less their mean, in 127ths of the largest of each 256."""
    torch = torch_module()
    mean = scales.mean()
    flat = torch.nn.functional.pad(scales - mean, (0, -len(scales) % SCALE_BLOCK)).reshape(-1, SCALE_BLOCK)
    largest = flat.abs().amax(dim=1)
    small = (flat / largest.clamp_min(1e-30)[:, None] * 127).round().to(torch.int8).reshape(-1)
    return small[: len(scales)], largest, mean


def scales_of(small: Any, largest: Any, mean: Any) -> Any:
    steps = largest.repeat_interleave(SCALE_BLOCK)[: len(small)] / 127
    return small.float() * steps + mean


def dequantise(packed: Any, scales: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    torch = torch_module()
    table = torch.tensor(levels(), device=packed.device)
    pairs = torch.stack([table.repeat_interleave(16), table.repeat(16)], dim=1)  # by byte: its two levels
    flat = pairs[packed.int()].reshape(-1, BLOCK) * scales[:, None]
    return flat.reshape(-1)[: shape[0] * shape[1]].reshape(shape).to(dtype)


@functools.cache
def _classes() -> Any:
    """Made on first use: this module is imported before torch is wanted."""
    torch = torch_module()

    class FrozenProduct(torch.autograd.Function):  # type: ignore[misc, name-defined]
        """input @ weight.T with the weight made in both passes, so that none is kept between them."""

        @staticmethod
        def forward(ctx: Any, inputs: Any, layer: Any) -> Any:
            ctx.layer, ctx.dtype = layer, inputs.dtype
            return torch.nn.functional.linear(inputs, layer.dense(inputs.dtype))

        @staticmethod
        def backward(ctx: Any, upstream: Any) -> Any:
            return upstream @ ctx.layer.dense(ctx.dtype), None

    class Nf4Linear(torch.nn.Linear):  # type: ignore[misc, name-defined]
        """A frozen linear layer. It is an nn.Linear by type only, so that PEFT puts an adapter on it."""

        def __init__(self, weight: Any, bias: Any, double: bool) -> None:
            torch.nn.Module.__init__(self)
            self.out_features, self.in_features = weight.shape
            packed, scales = quantise(weight)
            self.weight = torch.nn.Parameter(packed, requires_grad=False)
            self.bias = torch.nn.Parameter(bias.detach(), requires_grad=False) if bias is not None else None
            self.double = double
            names = ("small", "largest", "mean") if double else ("scales",)
            for name, value in zip(names, quantise_scales(scales) if double else (scales,), strict=True):
                self.register_buffer(name, value)

        def dense(self, dtype: Any) -> Any:
            scales = scales_of(self.small, self.largest, self.mean) if self.double else self.scales
            return dequantise(self.weight, scales, (self.out_features, self.in_features), dtype)

        def forward(self, inputs: Any) -> Any:
            kind = inputs.device.type
            if torch.is_autocast_enabled(kind):
                inputs = inputs.to(torch.get_autocast_dtype(kind))
            product = FrozenProduct.apply(inputs, self)
            return product if self.bias is None else product + self.bias.to(product.dtype)

    return Nf4Linear


def quantise_model(model: Any, double: bool) -> int:
    """Replaces every linear layer but the output in place, and returns how many. Expert weights that a family holds as
    one tensor, embeddings and norms stay as they are."""
    from transformers.pytorch_utils import Conv1D

    torch, layer_class = torch_module(), _classes()
    head = model.get_output_embeddings()
    found = [
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, (torch.nn.Linear, Conv1D)) and module is not head
    ]
    for name, module in found:
        weight = module.weight.T.contiguous() if isinstance(module, Conv1D) else module.weight
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, layer_class(weight, module.bias, double))
    return len(found)
