"""TRAK: influence in a linear model of randomly projected gradients, averaged over models (Park et al. 2023)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .gradients import Gradient


def project(gradients: Sequence[Gradient], size: int, seed: int) -> Any:
    """Gaussian projections to `size` numbers that keep inner products in expectation. Shape [n, size], double precision."""
    import torch

    total = torch.zeros(len(gradients), size, dtype=torch.float64)
    for layer, first in enumerate(gradients[0]):
        generator = torch.Generator().manual_seed(seed * 100_003 + layer)
        matrix = torch.randn(first.numel(), size, generator=generator)
        rows = torch.stack([gradient[layer].flatten() for gradient in gradients]).float().cpu()
        total += (rows @ matrix).double()
    return total / size**0.5


def scores(train: Any, queries: Any) -> Any:
    """queries (train' train + ridge)^-1 train', for features [n, size] and [m, size]. Shape [m, n].

    The ridge is a hundredth of the mean eigenvalue: with fewer rows than features the kernel alone has no inverse.
    """
    import torch

    kernel = train.T @ train
    ridge = 0.01 * kernel.diagonal().mean().clamp(min=1e-30)
    solved = torch.linalg.solve(kernel + ridge * torch.eye(len(kernel), dtype=kernel.dtype), train.T)
    return queries @ solved
