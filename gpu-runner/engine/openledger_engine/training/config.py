"""What a person can set for a training run. This table is the form, the API's check and the page that explains it."""

from __future__ import annotations

from dataclasses import dataclass

from ..influence.prior import WHOLE_BPS
from ..settings import setting

MAX_MODULES = 64


@dataclass(frozen=True)
class TrainConfig:
    method: str = setting(
        "How the base is held. `lora` keeps its weights as they are; `qlora` keeps them in 4 bits (NF4), for a quarter of "
        "the memory and slower steps. The adapter is the same kind of file.",
        default="lora", choices=("lora", "qlora"), group="method",
    )
    rank: int = setting(
        "Size of the adapter's matrices.", default=8, low=1, high=256, group="method",
        too_low="learns a manner of speech but few facts", too_high="memorises little data, and costs memory",
    )
    alpha: int = setting(
        "Strength of the adapter: its output is scaled by alpha / rank. Twice the rank is usual.",
        default=16, low=1, high=1024, group="method",
        too_low="the adapter changes next to nothing", too_high="training becomes unsteady",
    )
    dropout: float = setting(
        "Share of the adapter's inputs left out at random, against memorising.",
        default=0.0, low=0.0, high=0.9, group="method",
        too_low="little data is memorised word by word", too_high="above 0.3 little is learnt",
    )
    target_modules: tuple[str, ...] = setting(
        "Layers that get an adapter, by the end of their names. `all-linear` is every linear layer but the output.",
        default=("all-linear",), group="method",
        too_low="fewer layers learn less", too_high="more layers forget more",
    )
    double_quantisation: bool = setting(
        "qlora only: the scales of the 4-bit blocks are held in 8 bits too, which saves another 0.4 bits a weight.",
        default=True, group="method",
    )
    learning_rate: float | None = setting(
        "Step size at its highest. Default 2e-3 for models under 50 million parameters, 2e-4 else.",
        default=None, low=1e-6, high=1e-1, group="optimisation",
        too_low="nothing changes", too_high="the loss jumps, or the model forgets what it knew",
    )
    scheduler: str = setting(
        "How the step size falls over the run. `cosine` and `linear` end at zero, `constant` does not settle.",
        default="cosine", choices=("cosine", "linear", "constant"), group="optimisation",
    )
    warmup_ratio: float = setting(
        "Share of the steps over which the step size rises from zero.",
        default=0.05, low=0.0, high=0.5, unit="share of steps", group="optimisation",
        too_low="the first steps can upset the model", too_high="the run ends before it has learnt",
    )
    batch_size: int = setting(
        "Blocks in one pass.", default=4, low=1, high=1024, unit="blocks", group="optimisation",
        too_low="noisy steps", too_high="needs much memory, and leaves few steps with little data",
    )
    gradient_accumulation: int = setting(
        "Passes summed into one step: a larger batch without its memory.",
        default=1, low=1, high=1024, unit="passes", group="optimisation",
        too_low="the batch is all there is", too_high="few steps are left",
    )
    epochs: int = setting(
        "Times the data is seen.", default=3, low=1, high=100, unit="passes over the data", group="optimisation",
        too_low="few files leave no trace", too_high="they are memorised, and general ability falls",
    )
    max_steps: int = setting(
        "Ends the run early after this many steps; 0 is no limit.",
        default=0, low=0, high=10_000_000, unit="steps", group="optimisation",
        too_low="not all data is seen", too_high="no effect beyond the epochs",
    )
    weight_decay: float = setting(
        "Pull of the adapter's weights towards zero. Rarely needed.",
        default=0.0, low=0.0, high=1.0, group="optimisation",
        too_low="no pull", too_high="undoes the learning",
    )
    max_grad_norm: float = setting(
        "Longest gradient that is followed; a longer one is shortened.",
        default=1.0, low=1e-6, high=1e6, group="optimisation",
        too_low="slows all learning down", too_high="one odd batch can upset the model",
    )
    max_length: int = setting(
        "Tokens in a block, at most the model's context length.",
        default=256, low=8, high=1_048_576, unit="tokens", group="data",
        too_low="connections across sentences are not learnt", too_high="costs memory, and pads short data",
    )
    packing: bool = setting(
        "Fills blocks with documents one after another. Off: each document or dialogue is a block of its own, which "
        "wastes room on padding but never shows one document as another's context.",
        default=True, group="data",
    )
    response_only: bool = setting(
        "Dialogues teach their answers alone; questions are read, not learnt. Prose is learnt as always.",
        default=False, group="data",
    )
    replay_share: float = setting(
        "Share of a step's blocks that the base wrote itself before training: they hold it to what it knew. They count "
        "for no contribution.",
        default=0.25, low=0.0, high=0.8, unit="share of blocks", group="data",
        too_low="the model forgets more", too_high="slower, and less of the data is learnt a step",
    )
    validation_steps: int = setting(
        "Steps between two looks at the validation loss; 0 is ten looks a run, at least ten steps apart.",
        default=0, low=0, high=1_000_000, unit="steps", group="watching",
        too_low="much time goes into looking", too_high="overfitting is noticed late",
    )
    patience: int = setting(
        "Early stopping: looks without improvement before the run ends; the best adapter is kept. 0 never stops. "
        "Rows of their own are then set aside for it, half as many as the evaluation's.",
        default=0, low=0, high=1000, unit="looks", group="watching",
        too_low="chance ends the run", too_high="time is lost on a model that gets worse",
    )
    min_delta: float = setting(
        "Early stopping: the least fall of the validation loss that counts as improvement.",
        default=0.0, low=0.0, high=10.0, unit="nats a token", group="watching",
        too_low="noise counts as improvement", too_high="slow learning counts as none",
    )
    checkpoint_steps: int = setting(
        "Steps between two checkpoints, from which a killed run goes on; 0 writes one only when the run is called off.",
        default=50, low=0, high=1_000_000, unit="steps", group="watching",
        too_low="much time goes into writing", too_high="a kill loses more work",
    )
    influence_lambda_bps: int = setting(
        "Part of the pay for the adapter's answers that goes by evidence alone. Below 10000 the influence of each contribution on the "
        "adapter is measured after training and weighs the rest; it has not been found to pay more justly.",
        default=WHOLE_BPS, low=0, high=WHOLE_BPS, unit="basis points", group="attribution",
        too_low="what can't be recomputed bit for bit decides who is paid", too_high="10000 measures no influence and saves its time",
    )
    precision: str = setting(
        "Number format of the computation. `fp32` is exact and repeatable, `bf16` and `fp16` are faster on a GPU.",
        default="fp32", choices=("fp32", "bf16", "fp16"), group="computation",
    )
    gradient_checkpointing: bool = setting(
        "Recomputes activations instead of keeping them: about a third slower, far less memory.",
        default=False, group="computation",
    )
    seed: int = setting(
        "Start of every random choice: the same seed repeats the run.",
        default=42, low=0, high=(1 << 63) - 1, group="computation",
    )


SMALL_MODEL = 50_000_000
SMALL_RATE, LARGE_RATE = 2e-3, 2e-4


def default_rate(parameters: int) -> float:
    """Small models take larger steps: their weights are larger, and there is less to forget."""
    return SMALL_RATE if parameters < SMALL_MODEL else LARGE_RATE
