"""Choosing the next token from logits, with a random generator of the request's own."""

from __future__ import annotations

from typing import Any

from ..runtime import torch_module


def choose(logits: Any, temperature: float, top_p: float, generator: Any) -> int:
    """`logits` has shape [vocabulary]. Temperature 0 takes the best, the lowest id among equals.

    Else the smallest set of tokens whose probability reaches `top_p` is sampled from, on the CPU in fp32, so that
    the same seed gives the same token wherever the logits are equal.
    """
    torch = torch_module()
    row = logits.float().cpu()
    if temperature == 0:
        return int(row.argmax())
    chances, order = torch.softmax(row / temperature, dim=-1).sort(descending=True, stable=True)
    kept = chances.cumsum(-1) - chances < top_p
    kept[0] = True
    return int(order[torch.multinomial(chances * kept, 1, generator=generator)])
