"""LoRA layers that add the adapter's part into the base's output, forwards and backwards.

PEFT makes three tensors as wide as the layer for `base(x) + lora_B(lora_A(x)) * scaling`, and as many on the way back; here
there is one each way. On a CPU that is a tenth of a training step. The values differ in rounding only.
"""

from __future__ import annotations

import functools
from typing import Any

from ..runtime import torch_module


def fuse(model: Any) -> None:
    """Changes the plain LoRA layers on linear ones; others (4 bits, Conv1D, DoRA) stay PEFT's."""
    from peft.tuners.lora import layer

    linear = torch_module().nn.Linear
    for module in model.modules():
        if type(module) is layer.Linear and type(module.base_layer) is linear and not module.lora_variant:
            if all(up.bias is None for up in module.lora_B.values()):
                module.__class__ = _fused_layer()


@functools.cache
def _fused_layer() -> Any:
    torch, function = torch_module(), _fused_linear()
    from peft.tuners.lora import layer

    class FusedLinear(layer.Linear):  # type: ignore[misc]
        def forward(self, x: Any, *args: Any, **kwargs: Any) -> Any:
            weight, adapters = self.base_layer.weight, self.active_adapters
            switched = self.disable_adapters or self.merged or args or kwargs or len(adapters) != 1
            if switched or torch.is_autocast_enabled(x.device.type) or not x.dtype == weight.dtype == torch.float32:
                return super().forward(x, *args, **kwargs)
            [name] = adapters
            dropped = self.lora_dropout[name](x)
            down, up = self.lora_A[name].weight, self.lora_B[name].weight
            return function.apply(x, dropped, weight, self.base_layer.bias, down, up, self.scaling[name])

    return FusedLinear


@functools.cache
def _fused_linear() -> Any:
    torch = torch_module()

    class FusedLinearFunction(torch.autograd.Function):  # type: ignore[misc, name-defined]
        """x @ weight.T + bias + scaling * dropped @ down.T @ up.T; weight and bias are frozen."""

        @staticmethod
        def forward(ctx: Any, x: Any, dropped: Any, weight: Any, bias: Any, down: Any, up: Any, scaling: float) -> Any:
            result = torch.nn.functional.linear(x, weight, bias)
            low = dropped.reshape(-1, dropped.shape[-1]) @ down.T
            result.view(-1, result.shape[-1]).addmm_(low, up.T, alpha=scaling)
            ctx.scaling, ctx.apart = scaling, dropped is not x
            ctx.save_for_backward(dropped, low, weight, down, up)
            return result

        @staticmethod
        def backward(ctx: Any, upstream: Any) -> Any:
            dropped, low, weight, down, up = ctx.saved_tensors
            flat = upstream.reshape(-1, upstream.shape[-1])
            high = (flat @ up).mul_(ctx.scaling)
            to_up = (flat.T @ low).mul_(ctx.scaling)
            to_down = high.T @ dropped.reshape(-1, dropped.shape[-1])
            to_x = flat @ weight if ctx.needs_input_grad[0] else None
            to_dropped = None
            if ctx.apart and ctx.needs_input_grad[1]:
                to_dropped = (high @ down).view(dropped.shape)
            elif to_x is not None:
                to_x.addmm_(high, down)
            to_x = None if to_x is None else to_x.view(dropped.shape)
            return to_x, to_dropped, None, None, to_down, to_up, None

    return FusedLinearFunction
