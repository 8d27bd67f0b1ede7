"""TRAK: influence in a linear model of randomly projected gradients, averaged over models (Park et al. 2023)."""

from __future__ import annotations

from typing import Any

from .gradients import Gradient


def project(gradient: Gradient, size: int, seed: int) -> Any:
    """A Gaussian projection to `size` numbers that keeps inner products in expectation. Double precision."""
    import torch

    total = torch.zeros(size, dtype=torch.float64)
    for layer, part in enumerate(gradient):
        generator = torch.Generator().manual_seed(seed * 100_003 + layer)
        matrix = torch.randn(size, part.numel(), generator=generator)
        total += (matrix @ part.flatten().float().cpu()).double()
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
