"""Gradients of the adapter's matrices: of what training rows teach, and of what a text asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..runtime import device, torch_module

IGNORED = -100  # the label that torch's cross entropy skips

Ids = npt.NDArray[np.int64]
# One 2-D tensor per matrix of the adapter, float32, [out, in]; batches of gradients have a dimension before these two.
Gradient = list[Any]


@dataclass(frozen=True)
class Example:
    """A row of token ids and its labels, both of shape [length]; a label IGNORED is context only."""

    ids: Ids
    labels: Ids


def adapter_layers(model: Any) -> list[tuple[str, Any]]:
    """The adapter's linear maps, by name: for LoRA the A and the B of every adapted layer."""
    torch = torch_module()
    return [
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module.weight.requires_grad
    ]


@contextmanager
def exact_attention() -> Iterator[None]:
    """The attention kernel that gives equal bits on equal input; the fused ones needn't, on a GPU."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with sdpa_kernel(SDPBackend.MATH):
        yield


def token_losses(model: Any, example: Example) -> tuple[Any, Any]:
    """(loss of each predicted token in nats, logits), of shapes [length - 1] and [length - 1, vocabulary]."""
    torch = torch_module()
    ids = torch.from_numpy(example.ids[None]).to(device())
    labels = torch.from_numpy(example.labels[1:]).to(device())
    logits = model(input_ids=ids, use_cache=False).logits[0, :-1].float()
    losses = torch.nn.functional.cross_entropy(logits, labels, ignore_index=IGNORED, reduction="none")
    return losses, logits


def gradients_of(model: Any, example: Example, owners: Ids | None = None) -> Iterator[tuple[int, Gradient]]:
    """(owner, gradient of the summed loss of the owner's tokens); `owners` has a number for each token, below 0 for none.

    Without owners all tokens are number 0's. One forward pass, one backward pass for each owner.
    """
    torch = torch_module()
    weights = [module.weight for _, module in adapter_layers(model)]
    numbers = np.zeros(len(example.ids), np.int64) if owners is None else owners
    learnt = np.where(example.labels[1:] == IGNORED, -1, numbers[1:])
    present = [int(n) for n in np.unique(learnt) if n >= 0]
    with exact_attention():
        losses, _ = token_losses(model, example)
        for place, number in enumerate(present):
            mask = torch.from_numpy(learnt == number).to(losses.device)
            last = place == len(present) - 1
            yield number, list(torch.autograd.grad(losses[mask].sum(), weights, retain_graph=not last))


def gradient_of(model: Any, example: Example) -> Gradient:
    """Gradient of the summed loss of all labelled tokens. At least one must be labelled."""
    return next(gradients_of(model, example))[1]


def added(one: Gradient, other: Gradient) -> Gradient:
    return [a + b for a, b in zip(one, other, strict=True)]


def dot(one: Gradient, other: Gradient) -> float:
    """Inner product over all matrices, summed in double precision."""
    return float(sum((a.double() * b.double()).sum() for a, b in zip(one, other, strict=True)))
