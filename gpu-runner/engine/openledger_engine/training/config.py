"""What a person can set for a training run: each field with its help, its range and what goes wrong at the ends."""

from __future__ import annotations

from dataclasses import dataclass

from ..settings import setting


@dataclass(frozen=True)
class TrainConfig:
    rank: int = setting(
        "Size of the adapter's matrices. Low ranks learn a manner of speech, high ones facts; too high for little data "
        "memorises it and costs memory.",
        default=8, low=1, high=256,
    )
    alpha: int = setting(
        "Strength of the adapter: its output is scaled by alpha / rank. Much above twice the rank makes training unsteady.",
        default=16, low=1, high=1024,
    )
    dropout: float = setting(
        "Share of the adapter's inputs left out at random. Helps against memorising little data; above 0.3 little is learnt.",
        default=0.0, low=0.0, high=0.9,
    )
    target_modules: tuple[str, ...] = setting(
        "Layers that get an adapter. `all-linear` is every linear layer but the output; fewer is smaller and learns less.",
        default=("all-linear",),
    )
    learning_rate: float | None = setting(
        "Step size. Too high and the loss jumps or the model forgets what it knew; too low and nothing changes. "
        "Default 2e-3 for models under 50 million parameters, 2e-4 else.",
        default=None, low=1e-6, high=1e-1,
    )
    scheduler: str = setting(
        "How the step size falls over the run. `cosine` and `linear` end at zero, `constant` does not settle.",
        default="cosine", choices=("cosine", "linear", "constant"),
    )
    warmup_ratio: float = setting(
        "Share of the steps over which the step size rises from zero. None at all can upset the first steps.",
        default=0.05, low=0.0, high=0.5,
    )
    batch_size: int = setting(
        "Blocks in one pass. Larger is steadier and needs more memory; with little data it leaves few steps to learn in.",
        default=8, low=1, high=1024,
    )
    gradient_accumulation: int = setting(
        "Passes summed into one step: a larger batch without its memory.", default=1, low=1, high=1024
    )
    epochs: int = setting(
        "Times the data is seen. One or two may not suffice for few files; many memorise them, and the general "
        "evaluation falls.",
        default=3, low=1, high=100,
    )
    max_length: int = setting(
        "Tokens in a block, at most the model's context length. Longer blocks teach longer connections, and cost memory.",
        default=256, low=8,
    )
    weight_decay: float = setting(
        "Pull of the adapter's weights towards zero. Rarely needed; near 1 it undoes the learning.",
        default=0.0, low=0.0, high=1.0,
    )
    max_grad_norm: float = setting(
        "Longest gradient that is followed; a longer one is shortened. Very small values slow all learning down.",
        default=1.0, low=1e-6, high=1e6,
    )
    precision: str = setting(
        "Number format of the computation. `fp32` is exact and repeatable, `bf16` and `fp16` are faster on a GPU.",
        default="fp32", choices=("fp32", "bf16", "fp16"),
    )
    seed: int = setting("Start of every random choice: the same seed repeats the run.", default=42, low=0, high=(1 << 63) - 1)
    max_steps: int = setting("Ends the run early after this many steps; 0 is no limit.", default=0, low=0, high=10_000_000)


SMALL_MODEL = 50_000_000
SMALL_RATE, LARGE_RATE = 2e-3, 2e-4


def default_rate(parameters: int) -> float:
    """Small models take larger steps: their weights are larger, and there is less to forget."""
    return SMALL_RATE if parameters < SMALL_MODEL else LARGE_RATE
