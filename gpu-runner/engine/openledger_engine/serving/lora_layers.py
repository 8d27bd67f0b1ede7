"""Low-rank products for a batch in which every row may have an adapter of its own.

Each linear layer that some adapter changes keeps the factors of all resident adapters in two stacked tensors; a row
names its adapter by slot. Slot 0 is all zeros: the base alone. The layers themselves stay as they are, the products
are added by a forward hook.
"""

from __future__ import annotations

from typing import Any

from ..runtime import torch_module

Factors = dict[str, tuple[Any, Any]]  # module path -> A [rank, in] and B [rank, out], with the scale in B


class SlotBatch:
    """Which slots the rows of the next forward pass have; shared by all layers of a base."""

    def __init__(self) -> None:
        self.slots: Any = None  # int64 [rows], or None when no row has an adapter
        self.bag: Any = None  # int64 [rows, rank]: the lines of the stacked factors that belong to each row

    def set(self, slots: list[int], rank: int, device: Any) -> None:
        if not any(slots):
            self.slots = self.bag = None
            return
        torch = torch_module()
        self.slots = torch.tensor(slots, device=device)
        self.bag = self.slots[:, None] * rank + torch.arange(rank, device=device)


class LoraLayer:
    """The stacked factors of one linear layer: `a` [slots, rank, in], `b` [slots, rank, out] with the scale in it."""

    def __init__(self, module: Any, inner: int, outer: int, slots: int, batch: SlotBatch) -> None:
        self.inner, self.outer, self.slots = inner, outer, slots
        self._batch = batch
        self._like = module.weight
        # On a CPU a weighted sum of lines straight from the stack, without a copy of the factors, takes two thirds of
        # the time of gathering them for a bmm; a loop over the batch's adapters takes twenty times as long.
        self._sums_lines = module.weight.device.type == "cpu"
        self.a: Any = None
        self.b: Any = None
        self.hook = module.register_forward_hook(self._add)

    def grow(self, rank: int) -> None:
        """Room for factors of this rank; what is there is kept, padded with zeros."""
        old_a, old_b = self.a, self.b
        self.a = self._like.new_zeros((self.slots, rank, self.inner))
        self.b = self._like.new_zeros((self.slots, rank, self.outer))
        if old_a is not None:
            self.a[:, : old_a.shape[1]] = old_a
            self.b[:, : old_b.shape[1]] = old_b

    def put(self, slot: int, factors: tuple[Any, Any] | None) -> None:
        """Without factors the slot is emptied: this adapter doesn't change this layer."""
        rank = 0 if factors is None else factors[0].shape[0]
        if rank < self.a.shape[1]:
            self.a[slot, rank:] = 0
            self.b[slot, rank:] = 0
        if factors is not None:
            self.a[slot, :rank] = factors[0]
            self.b[slot, :rank] = factors[1]

    def _add(self, _: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Adds in place. `output` is [rows, tokens, out], or the same with the first two flattened."""
        slots = self._batch.slots
        if slots is None:
            return output
        rows = slots.shape[0]
        x = inputs[0].reshape(rows, -1, self.inner)
        low = torch_module().bmm(x, self.a.index_select(0, slots).transpose(1, 2))
        if x.shape[1] == 1 and self._sums_lines:
            bags = torch_module().nn.functional.embedding_bag
            sums = bags(self._batch.bag, self.b.view(-1, self.outer), mode="sum", per_sample_weights=low[:, 0])
            return output.add_(sums.view(output.shape))
        output.view(rows, -1, self.outer).baddbmm_(low, self.b.index_select(0, slots))
        return output


def linear_layers(model: Any) -> dict[str, tuple[int, int]]:
    """Every linear layer of a model by its path, with its widths (in, out)."""
    from torch.nn import Linear
    from transformers.pytorch_utils import Conv1D

    found = {}
    for name, module in model.named_modules():
        if isinstance(module, Linear):
            found[name] = (module.in_features, module.out_features)
        elif isinstance(module, Conv1D):
            found[name] = (int(module.weight.shape[0]), int(module.weight.shape[1]))
    return found
