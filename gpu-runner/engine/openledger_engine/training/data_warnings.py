"""What a person should know before a run: odd parameters for this data, and odd data. Nothing here stops it."""

from __future__ import annotations

from typing import Any

from ..influence.prior import WHOLE_BPS
from ..models.load import expert_count
from .blocks import Blocks
from .config import SMALL_MODEL, TrainConfig
from .rows import Row

Warning_ = dict[str, str]

FEW_ROWS, MANY_EPOCHS = 200, 10
FEW_HELD_OUT = 20
FEW_LOOKS = 5
LONG_SHARE = 0.2
# Usual learning rates at alpha / rank = 2, for small models and for others.
BANDS = {True: (1e-4, 3e-3), False: (1e-5, 5e-4)}
QUANTISED_HIGH = 0.5  # a quantised base stands half the rate


def _warning(code: str, message: str, parameter: str | None = None) -> Warning_:
    return {"code": code, "message": message} | ({"parameter": parameter} if parameter else {})


def data_warnings(
    rows: list[Row], blocks: Blocks, config: TrainConfig, tokenizer: Any, parameters: int, looks: list[list[int]],
    model_config: Any,
) -> list[Warning_]:
    trained = [row for row in rows if row.part == "train"]
    return [
        *_about_rows(trained, rows, config),
        *_about_lengths(trained, blocks, config, tokenizer),
        *_about_rate(config, parameters),
        *_about_watching(rows, looks, config),
        *_about_model(trained, config, tokenizer, model_config),
    ]


def _about_rows(trained: list[Row], rows: list[Row], config: TrainConfig) -> list[Warning_]:
    found = []
    if len(trained) < FEW_ROWS and config.epochs > MANY_EPOCHS:
        message = f"{len(trained)} rows are seen {config.epochs} times: they will be memorised"
        found.append(_warning("few_rows", message, "epochs"))
    repeated = len(rows) - len({" ".join(row.text.split()) for row in rows})
    if repeated:
        found.append(_warning("duplicate_rows", f"{repeated} of {len(rows)} rows repeat another"))
    return found


def _about_lengths(trained: list[Row], blocks: Blocks, config: TrainConfig, tokenizer: Any) -> list[Warning_]:
    found = []
    lengths = [len(tokenizer(row.text, verbose=False)["input_ids"]) for row in trained]
    long = sum(length > config.max_length for length in lengths)
    if long > LONG_SHARE * len(lengths):
        message = f"{long} of {len(lengths)} rows are longer than a block of {config.max_length} tokens and are cut"
        found.append(_warning("rows_cut", message, "max_length"))
    if lengths and not config.packing and config.max_length > 4 * max(lengths):
        message = f"the longest row has {max(lengths)} tokens, a block {config.max_length}: most of it is padding"
        found.append(_warning("blocks_too_long", message, "max_length"))
    if config.packing and len(blocks.ids) == 1 and blocks.learnt.mean() < 0.5:
        message = f"all the data fills {int(blocks.learnt.sum())} tokens of one block of {config.max_length}"
        found.append(_warning("blocks_too_long", message, "max_length"))
    a_step = config.batch_size * config.gradient_accumulation
    if a_step > len(blocks.ids):
        message = f"a step takes {a_step} blocks, and there are {len(blocks.ids)}"
        found.append(_warning("batch_too_large", message, "batch_size"))
    return found


def _about_rate(config: TrainConfig, parameters: int) -> list[Warning_]:
    low, high = BANDS[parameters < SMALL_MODEL]
    if config.method == "qlora":
        high *= QUANTISED_HIGH
    effective = (config.learning_rate or 0.0) * config.alpha / config.rank / 2
    if low <= effective <= high:
        return []
    side, effect = ("above", "the model may forget") if effective > high else ("below", "little will be learnt")
    message = (
        f"{config.learning_rate:g} with alpha / rank {config.alpha / config.rank:g} is {side} the usual "
        f"{low:g}..{high:g} (at alpha / rank 2): {effect}"
    )
    return [_warning("unusual_rate", message, "learning_rate")]


def _about_watching(rows: list[Row], looks: list[list[int]], config: TrainConfig) -> list[Warning_]:
    found = []
    held_out = sum(row.held_out for row in rows)
    if held_out < FEW_HELD_OUT:
        message = f"{held_out} rows are held out: the evaluation will tell large differences only"
        found.append(_warning("few_held_out", message))
    if config.influence_lambda_bps < WHOLE_BPS and not held_out:
        message = "no row is held out to measure influence on: evidence alone pays"
        found.append(_warning("no_influence", message, "influence_lambda_bps"))
    if config.patience and len(looks) < FEW_LOOKS:
        message = f"early stopping has {len(looks)} rows to judge by" + ("" if looks else " and is off")
        found.append(_warning("few_validation_rows", message, "patience"))
    return found


def _about_model(trained: list[Row], config: TrainConfig, tokenizer: Any, model_config: Any) -> list[Warning_]:
    found = []
    dialogues = sum(row.turns is not None for row in trained)
    if dialogues and not tokenizer.chat_template:
        message = f"{dialogues} rows are dialogues, but the model has no chat template: they are trained as plain text"
        found.append(_warning("no_chat_template", message))
    experts = expert_count(model_config)
    if experts and config.target_modules == ("all-linear",):
        message = f"of a mixture of {experts} experts the attention alone gets an adapter; experts are not held in 4 bits"
        found.append(_warning("experts_untouched", message, "target_modules"))
    return found
