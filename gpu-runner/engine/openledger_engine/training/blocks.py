"""Rows packed into blocks of token ids; every token knows the contribution it came from."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import EngineError
from .rows import DIALOGUE, Row

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Blocks:
    """`ids` and `owners` have shape [blocks, max_length]; an owner is an index into `contributions`, or -1 for padding."""

    ids: Ids
    owners: Ids
    contributions: tuple[str, ...]


def _documents(rows: list[Row], tokenizer: Any) -> Iterator[tuple[str, list[int]]]:
    """(contribution, ids) of each document.

    Prose rows that follow one another in a contribution are one document; a held-out row cuts it. A dialogue is one
    by itself, in the form in which the model will be asked.
    """
    for (contribution, held_out, is_dialogue), group in itertools.groupby(
        rows, key=lambda r: (r.contribution_id, r.held_out, r.dialogue is not None)
    ):
        if held_out:
            continue
        texts = [row.text for row in group]
        if is_dialogue:
            yield from ((contribution, dialogue_ids(tokenizer, text)) for text in texts)
        else:
            yield contribution, with_ends(tokenizer, "\n\n".join(texts))


def dialogue_ids(tokenizer: Any, text: str) -> list[int]:
    """A question and its answer through the model's chat template; as plain text where it has none."""
    found = DIALOGUE.fullmatch(text)
    if found is None or not tokenizer.chat_template:
        return with_ends(tokenizer, text)
    messages = [{"role": "user", "content": found[1]}, {"role": "assistant", "content": found[2]}]
    rendered = tokenizer.apply_chat_template(messages, tokenize=False)
    return _closed(tokenizer, list(tokenizer(rendered, add_special_tokens=False, verbose=False)["input_ids"]))


def with_ends(tokenizer: Any, text: str) -> list[int]:
    """Ids of a document, opened as the model expects it and closed by its end token."""
    ids = list(tokenizer(text, verbose=False)["input_ids"])
    if tokenizer.bos_token_id is not None and ids[:1] != [tokenizer.bos_token_id]:
        ids.insert(0, tokenizer.bos_token_id)
    return _closed(tokenizer, ids)


def _closed(tokenizer: Any, ids: list[int]) -> list[int]:
    if tokenizer.eos_token_id is not None and ids[-1:] != [tokenizer.eos_token_id]:
        ids.append(tokenizer.eos_token_id)
    return ids


def pack(rows: list[Row], tokenizer: Any, max_length: int) -> Blocks:
    """All training documents one after another, cut every `max_length` tokens; the last block is padded."""
    contributions = tuple(dict.fromkeys(row.contribution_id for row in rows))
    number = {contribution: i for i, contribution in enumerate(contributions)}
    ids: list[int] = []
    owners: list[int] = []
    for contribution, document in _documents(rows, tokenizer):
        ids.extend(document)
        owners.extend([number[contribution]] * len(document))
    if len(ids) < 2:
        raise EngineError("no_data", "nothing is left to train on once the held-out rows are set aside")
    padding = -len(ids) % max_length
    ids.extend([tokenizer.pad_token_id or 0] * padding)
    owners.extend([-1] * padding)
    shape = (-1, max_length)
    return Blocks(np.array(ids).reshape(shape), np.array(owners).reshape(shape), contributions)
