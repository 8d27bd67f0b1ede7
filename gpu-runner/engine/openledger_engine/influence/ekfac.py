"""EK-FAC: the Fisher matrix of the adapter's layers as Kronecker factors whose eigenvalues are measured, and its inverse.

For a linear map with inputs a and output gradients g the Fisher of its weights is near E[g g'] x E[a a']. In the
eigenvectors of both factors it is near diagonal, and the diagonal is measured directly (George et al. 2018; used for
influence by Grosse et al. 2023). Labels are drawn from the model, not taken from the data: that is the Fisher matrix,
which equals the Gauss-Newton matrix of the loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..methods import Job
from ..runtime import device, torch_module
from .gradients import IGNORED, Example, Gradient, adapter_layers, exact_attention, token_losses

DAMPING = 0.1  # of the mean eigenvalue of each layer: the rule of Grosse et al.


@dataclass(frozen=True)
class Factors:
    """Of one linear map: eigenvectors of the output and input factors as columns, and the measured diagonal [out, in]."""

    outputs: Any
    inputs: Any
    diagonal: Any

    def solve(self, gradient: Any) -> Any:
        """(Fisher + damping)^-1 of a gradient [..., out, in]."""
        damped = self.diagonal + DAMPING * self.diagonal.mean().clamp(min=1e-30)
        turned = self.outputs.T @ gradient.double() @ self.inputs / damped
        return (self.outputs @ turned @ self.inputs.T).float()


class _Watch:
    """Keeps the inputs and output gradients of the adapter's layers during one pass: [tokens, in], [tokens, out]."""

    def __init__(self, model: Any) -> None:
        self.inputs: dict[str, Any] = {}
        self.outputs: dict[str, Any] = {}
        self._hooks = []
        for name, module in adapter_layers(model):
            self._hooks.append(module.register_forward_hook(self._keep(name)))

    def _keep(self, name: str) -> Any:
        def forward(_: Any, inputs: tuple[Any, ...], output: Any) -> None:
            self.inputs[name] = inputs[0].detach().flatten(0, -2).double()

            def backward(gradient: Any) -> None:
                self.outputs[name] = gradient.detach().flatten(0, -2).double()

            output.register_hook(backward)

        return forward

    def close(self) -> None:
        for hook in self._hooks:
            hook.remove()


def _sampled_pass(model: Any, example: Example, generator: Any) -> None:
    """One backward pass of the loss on labels that the model itself draws, at the places that have a label."""
    torch = torch_module()
    with exact_attention():
        _, logits = token_losses(model, example)
        drawn = torch.multinomial(logits.detach().softmax(-1).cpu(), 1, generator=generator)[:, 0].to(device())
        kept = torch.from_numpy(example.labels[1:] != IGNORED).to(device())
        torch.nn.functional.cross_entropy(logits[kept], drawn[kept], reduction="sum").backward()
    model.zero_grad(set_to_none=True)


def measure(model: Any, examples: Sequence[Example], seed: int, job: Job) -> list[Factors]:
    """Factors of every layer, in two passes over the examples; the second draws the same labels as the first."""
    torch = torch_module()
    names = [name for name, _ in adapter_layers(model)]
    usable = [example for example in examples if (example.labels[1:] != IGNORED).any()]
    watch = _Watch(model)
    try:
        covariances: dict[str, tuple[Any, Any]] = {}
        for _ in _passes(model, usable, seed, job):
            for name in names:
                a, g = watch.inputs[name], watch.outputs[name]
                known = covariances.get(name, (0.0, 0.0))
                covariances[name] = (known[0] + g.T @ g, known[1] + a.T @ a)
        bases = {
            name: tuple(torch.linalg.eigh(side)[1] for side in covariances.pop(name)) for name in names
        }
        diagonals: dict[str, Any] = dict.fromkeys(names, 0.0)
        for _ in _passes(model, usable, seed, job):
            for name in names:
                turned = (watch.outputs[name] @ bases[name][0]).T @ (watch.inputs[name] @ bases[name][1])
                diagonals[name] = diagonals[name] + turned.square()
    finally:
        watch.close()
    tokens = sum(int((example.labels[1:] != IGNORED).sum()) for example in usable)
    return [Factors(*bases[name], diagonals[name] / tokens) for name in names]


def _passes(model: Any, examples: Sequence[Example], seed: int, job: Job) -> Any:
    torch = torch_module()
    generator = torch.Generator().manual_seed(int(np.uint32(seed)))
    for example in examples:
        job.check()
        _sampled_pass(model, example, generator)
        yield


def solve(factors: Sequence[Factors], gradient: Gradient) -> Gradient:
    """The whole gradient, layer by layer."""
    return [layer.solve(part) for layer, part in zip(factors, gradient, strict=True)]
