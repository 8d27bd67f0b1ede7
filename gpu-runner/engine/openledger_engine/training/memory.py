"""How much memory a run needs: weights, optimizer, and the activations that the backward pass waits for."""

from __future__ import annotations

from typing import Any

from ..models.load import read_config
from ..models.making import MAKING, transformers_module
from ..runtime import device
from .objective import SLICE_LOGITS
from .prepare import Plan

BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}
NF4_BYTES, NF4_DOUBLE_BYTES = 0.5 + 4 / 64, 0.5 + 1 / 64 + 4 / 64 / 256
ADAM_BYTES = 4 * 4  # weight, gradient and two moments in fp32
# The process itself: Python, torch and what else is imported; on a GPU the context and its allocator.
PROCESS_BYTES = {"cpu": 600_000_000, "cuda": 900_000_000}
# Values kept of each position and layer, in widths: about this many of the hidden size and of the feed-forward's, and
# what the adapters keep of their inputs. Fitted to measured runs; the test holds it to a factor of two.
KEPT_HIDDEN, KEPT_FEED_FORWARD = 16, 4


def _feed_forward(config: Any) -> int:
    return int(getattr(config, "intermediate_size", None) or getattr(config, "n_inner", None) or 4 * config.hidden_size)


def _kept(shape: Any) -> int:
    """Values of each position and layer."""
    return KEPT_HIDDEN * int(shape.hidden_size) + KEPT_FEED_FORWARD * _feed_forward(shape)


def trainable_parameters(plan: Plan) -> int:
    """Of the adapter: rank times the sides of each layer that gets one."""
    return _factor_values(plan, _adapted_layers(plan))


def _factor_values(plan: Plan, sides: list[tuple[int, int]]) -> int:
    return plan.config.rank * sum(map(sum, sides))


def _adapted_layers(plan: Plan) -> list[tuple[int, int]]:
    """The sides of each layer that gets an adapter, read from a model without weights."""
    import torch

    from .adapter import module_names

    with MAKING:
        from accelerate import init_empty_weights
        from transformers.pytorch_utils import Conv1D

        with init_empty_weights():
            model = transformers_module().AutoModelForCausalLM.from_config(read_config(plan.folder), trust_remote_code=False)
    wanted = module_names(model, plan.config.target_modules)
    head, found = model.get_output_embeddings(), []
    for name, module in model.named_modules():
        linear = isinstance(module, (torch.nn.Linear, Conv1D)) and module is not head
        if linear and (wanted == "all-linear" or any(name == one or name.endswith(f".{one}") for one in wanted)):
            rows, columns = module.weight.shape
            found.append((int(rows), int(columns)))
    return found


def memory_bytes(plan: Plan) -> int:
    """The most that a run needs at once: of its training, or of the influence that is measured after it."""
    sides = _adapted_layers(plan)
    bytes_ = _training_bytes(plan, sides)
    if plan.measures_influence:
        bytes_ = max(bytes_, _influence_bytes(plan, sides))
    return bytes_ + PROCESS_BYTES[device()]


def _influence_bytes(plan: Plan, sides: list[tuple[int, int]]) -> int:
    """The base in fp32; for both matrices of each adapted layer EK-FAC's factors of both sides, and what is watched of a block,
    in fp64; and the block's pass, with all its logits and their gradients."""
    shape, rank = read_config(plan.folder), plan.config.rank
    factors = sum(one**2 + other**2 + 2 * rank**2 for one, other in sides)
    factors += max(max(pair) for pair in sides) ** 2  # of one side, before and after its eigenvectors are found
    watched = sum(one + other + 2 * rank for one, other in sides)
    position = 8 * watched + 4 * _kept(shape) * shape.num_hidden_layers + 3 * 4 * shape.vocab_size
    return 4 * plan.parameters + 8 * factors + plan.config.max_length * position


def _training_bytes(plan: Plan, sides: list[tuple[int, int]]) -> int:
    config, shape = plan.config, read_config(plan.folder)
    weight = BYTES[config.precision]
    if config.method == "qlora":
        # Embeddings and output keep their precision; the full weights are there while they are being quantised.
        embedded = 2 * shape.vocab_size * shape.hidden_size
        small = NF4_DOUBLE_BYTES if config.double_quantisation else NF4_BYTES
        held = max(0, plan.parameters - embedded) * small + min(embedded, plan.parameters) * weight
        held = max(held, plan.parameters * weight) if device() == "cpu" else held
    else:
        held = plan.parameters * weight
    positions = config.batch_size * config.max_length
    a_layer, layers = _kept(shape), shape.num_hidden_layers
    kept = a_layer + layers * shape.hidden_size if config.gradient_checkpointing else a_layer * layers
    activations = positions * kept * max(weight, 2)
    logits = 3 * 4 * max(SLICE_LOGITS, shape.vocab_size)
    return round(held + ADAM_BYTES * _factor_values(plan, sides) + activations + logits)
