"""DataInf: the inverse of a mean of rank-one matrices, taken as the mean of their inverses (Kwon et al. 2023).

For each layer H = mean_i g_i g_i' + damping. Each (g_i g_i' + damping)^-1 has a closed form; their mean stands in for
H^-1. The error grows with the layer's size, which LoRA keeps small.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .gradients import Gradient

DAMPING = 0.1  # of the mean squared entry of the layer's gradients: the authors' rule


def solve_layer(gradients: Any, query: Any, damping: float) -> Any:
    """mean_i (g_i g_i' + damping)^-1 query, for gradients [n, size] and queries [m, size]. Shape [m, size]."""
    along = query @ gradients.T / (damping + gradients.square().sum(1))
    return (query - along @ gradients / len(gradients)) / damping


def solve(gradients: Sequence[Gradient], queries: Sequence[Gradient]) -> list[Gradient]:
    """The queries' gradients through the approximate inverse, layer by layer, in double precision."""
    import torch

    solved: list[Gradient] = [[] for _ in queries]
    for layer in range(len(gradients[0])):
        rows, asked = (torch.stack([g[layer].flatten() for g in some]).double() for some in (gradients, queries))
        damping = max(DAMPING * float(rows.square().mean()), 1e-30)
        for known, query, part in zip(solved, queries, solve_layer(rows, asked, damping), strict=True):
            known.append(part.reshape(query[layer].shape).float())
    return solved
