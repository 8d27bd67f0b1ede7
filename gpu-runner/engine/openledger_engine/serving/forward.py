"""One forward pass of a base over the rows of a cache."""

from __future__ import annotations

import functools
import inspect
from typing import Any

from ..runtime import torch_module
from .row_cache import RowCache


@functools.cache
def _takes_positions(model_class: type) -> bool:
    """BLOOM knows positions from its mask alone."""
    return "position_ids" in inspect.signature(model_class.forward).parameters


def forward(model: Any, cache: RowCache, tokens: list[list[int]], keep: list[int]) -> Any:
    """Advances every row by its tokens (equally many each) and returns logits [rows, len(keep), vocabulary].

    `keep` are the columns of `tokens` whose logits are wanted. The caller has selected the rows' adapters.
    """
    torch = torch_module()
    cache.begin(len(tokens[0]))
    positions = {"position_ids": cache.positions()} if _takes_positions(type(model)) else {}
    with torch.inference_mode():
        logits = model(
            input_ids=torch.tensor(tokens, device=model.device),
            attention_mask=cache.mask(),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=torch.tensor(keep, device=model.device),
            **positions,
        ).logits
    cache.end()
    return logits
