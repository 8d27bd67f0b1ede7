"""The loss of the next token, without ever holding all logits.

With a vocabulary of 32,000 the logits of a block are the largest thing in a training step. The output layer is frozen, so
its gradient is only needed towards its input: a slice of positions at a time gives its part of the loss and of that
gradient, and is forgotten. Positions whose label is ignored never reach the output layer.
"""

from __future__ import annotations

import functools
from typing import Any

from ..runtime import torch_module

# Families whose logits are exactly output_layer(decoder(ids)). Others scale or cap them, and take the plain way.
PLAIN_HEADS = frozenset({"gpt2", "bloom", "llama", "mistral", "qwen2", "qwen3", "deepseek_v3"})
SLICE_LOGITS = 1 << 22  # logits held at once: 16 MiB in fp32


@functools.cache
def _head_loss() -> Any:
    torch = torch_module()

    class HeadLoss(torch.autograd.Function):  # type: ignore[misc, name-defined]
        """(hidden [n, width], weight [vocabulary, width], labels [n]) -> losses [n] in fp32."""

        @staticmethod
        def forward(ctx: Any, hidden: Any, weight: Any, labels: Any) -> Any:
            losses = torch.empty(len(hidden), dtype=torch.float32, device=hidden.device)
            gradient = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
            rows = max(1, SLICE_LOGITS // len(weight))
            for start in range(0, len(hidden), rows):
                part = slice(start, start + rows)
                chances = (hidden[part] @ weight.T).float().log_softmax(dim=-1)
                wanted = labels[part, None]
                losses[part] = -chances.gather(1, wanted)[:, 0]
                if gradient is not None:
                    chances.exp_()
                    chances.scatter_add_(1, wanted, chances.new_full((), -1.0).expand(wanted.shape))
                    gradient[part] = chances.to(weight.dtype) @ weight
            ctx.gradient = gradient
            return losses

        @staticmethod
        def backward(ctx: Any, upstream: Any) -> Any:
            return ctx.gradient * upstream[:, None].to(ctx.gradient.dtype), None, None

    return HeadLoss


def token_losses(model: Any, ids: Any, learnt: Any) -> Any:
    """Losses in fp32 of the tokens marked in `learnt` [rows, length], row by row. Position 0 can't be marked."""
    torch = torch_module()
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    head = inner.get_output_embeddings()
    marked, labels = learnt[:, 1:], ids[:, 1:][learnt[:, 1:]]
    plain = type(head) is torch.nn.Linear and head.bias is None and not head.weight.requires_grad
    if not plain or inner.config.model_type not in PLAIN_HEADS:
        logits = model(input_ids=ids, use_cache=False).logits[:, :-1][marked]
        return torch.nn.functional.cross_entropy(logits.float(), labels, reduction="none")
    hidden = inner.get_decoder()(input_ids=ids, use_cache=False).last_hidden_state[:, :-1][marked]
    if torch.is_autocast_enabled(hidden.device.type):
        hidden = hidden.to(torch.get_autocast_dtype(hidden.device.type))
    return _head_loss().apply(hidden, head.weight.to(hidden.dtype), labels)
