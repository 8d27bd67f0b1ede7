"""Rows as blocks of token ids; every token knows the contribution it came from, and whether it is learnt."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import EngineError
from .config import TrainConfig
from .dialogues import Turns, plain
from .rows import Row

Ids = npt.NDArray[np.int64]
NOBODY = -1  # the owner of padding, and of what the base wrote itself


@dataclass(frozen=True)
class Blocks:
    """Arrays of shape [blocks, max_length]. An owner is an index into `contributions`, or NOBODY; `learnt` marks the
    tokens whose loss counts: never a block's first, which nothing precedes, and no padding."""

    ids: Ids
    owners: Ids
    learnt: npt.NDArray[np.bool_]
    contributions: tuple[str, ...]

    def everyone(self) -> npt.NDArray[np.int64]:
        """The numbers of all blocks."""
        return np.arange(len(self.ids))

    def learnt_by_owner(self, picked: npt.NDArray[np.int64]) -> Ids:
        """Learnt tokens of the picked blocks: one count for each contribution, and last those of nobody."""
        owners = self.owners[picked][self.learnt[picked]]
        return np.bincount(np.where(owners < 0, len(self.contributions), owners), minlength=len(self.contributions) + 1)


@dataclass(frozen=True)
class Document:
    """Tokens that belong together. `learnt` has their length."""

    contribution: str
    ids: list[int]
    learnt: list[bool]


def documents(rows: list[Row], tokenizer: Any, response_only: bool = False) -> Iterator[Document]:
    """Prose rows that follow one another in a contribution are one document; a row that isn't trained on cuts it. A
    dialogue is one by itself, in the form in which the model will be asked."""
    for (contribution, part, is_dialogue), group in itertools.groupby(
        rows, key=lambda row: (row.contribution_id, row.part, row.turns is not None)
    ):
        if part != "train":
            continue
        if not is_dialogue:
            ids = with_ends(tokenizer, "\n\n".join(row.text for row in group))
            yield Document(contribution, ids, [True] * len(ids))
            continue
        for row in group:
            assert row.turns is not None
            yield Document(contribution, *dialogue_ids(tokenizer, row.turns, response_only))


def dialogue_ids(tokenizer: Any, turns: Turns, response_only: bool) -> tuple[list[int], list[bool]]:
    """Ids of a dialogue through the model's chat template (as plain text where it has none), and which are learnt."""
    if tokenizer.chat_template:
        messages = [{"role": role, "content": content} for role, content in turns]
        text = tokenizer.apply_chat_template(messages, tokenize=False)
    else:
        text = plain(turns)
    special = not tokenizer.chat_template
    if not response_only:
        ids = list(tokenizer(text, add_special_tokens=special, verbose=False)["input_ids"])
        ids = closed(tokenizer, opened(tokenizer, ids) if special else ids)
        return ids, [True] * len(ids)
    coded = tokenizer(text, add_special_tokens=special, return_offsets_mapping=True, verbose=False)
    learnt = _answered(text, turns, [(int(a), int(b)) for a, b in coded["offset_mapping"]])
    ids = closed(tokenizer, list(coded["input_ids"]))
    return ids, learnt + [True] * (len(ids) - len(learnt))


def _answered(text: str, turns: Turns, offsets: list[tuple[int, int]]) -> list[bool]:
    """Marks the tokens of each answer, and the one after it: that is how a model learns to end."""
    spans, place = [], 0
    for role, content in turns:
        found = text.find(content, place)
        if found >= 0:
            place = found + len(content)
            if role == "assistant":
                spans.append((found, place))
    marks = [any(start < b and a < end for start, end in spans) for a, b in offsets]
    return [mark or (i > 0 and marks[i - 1]) for i, mark in enumerate(marks)]


def opened(tokenizer: Any, ids: list[int]) -> list[int]:
    if tokenizer.bos_token_id is not None and ids[:1] != [tokenizer.bos_token_id]:
        ids.insert(0, tokenizer.bos_token_id)
    return ids


def closed(tokenizer: Any, ids: list[int]) -> list[int]:
    if tokenizer.eos_token_id is not None and ids[-1:] != [tokenizer.eos_token_id]:
        ids.append(tokenizer.eos_token_id)
    return ids


def with_ends(tokenizer: Any, text: str) -> list[int]:
    """Ids of a document, opened as the model expects it and closed by its end token."""
    return closed(tokenizer, opened(tokenizer, list(tokenizer(text, verbose=False)["input_ids"])))


def to_blocks(found: list[Document], contributions: tuple[str, ...], config: TrainConfig, padding: int) -> Blocks:
    """Packed: all documents one after another, cut every `max_length` tokens. Else: each document by itself, in as many
    blocks as it takes. What is left of a block is padding."""
    number = {contribution: i for i, contribution in enumerate(contributions)}
    parts: list[list[Ids]] = []
    for stream in [found] if config.packing else [[document] for document in found]:
        ids = np.array([token for document in stream for token in document.ids], dtype=np.int64)
        learnt = np.array([mark for document in stream for mark in document.learnt], dtype=np.int64)
        sizes = [len(document.ids) for document in stream]
        owners = np.repeat([number.get(document.contribution, NOBODY) for document in stream], sizes)
        room = (0, -len(ids) % config.max_length)
        columns = (np.pad(ids, room, constant_values=padding), np.pad(owners, room, constant_values=NOBODY), np.pad(learnt, room))
        parts.append([column.reshape(-1, config.max_length) for column in columns])
    ids, owners, learnt = (np.concatenate(column) for column in zip(*parts, strict=True)) if parts else [np.zeros((0, 1))] * 3
    learnt[:, 0] = 0
    kept = learnt.any(axis=1)
    if not kept.any():
        raise EngineError("no_data", "nothing is left to train on once the held-out rows are set aside")
    return Blocks(ids[kept], owners[kept], learnt[kept].astype(bool), contributions)


def pack(rows: list[Row], tokenizer: Any, config: TrainConfig) -> Blocks:
    contributions = tuple(dict.fromkeys(row.contribution_id for row in rows))
    found = list(documents(rows, tokenizer, config.response_only))
    return to_blocks(found, contributions, config, tokenizer.pad_token_id or 0)
