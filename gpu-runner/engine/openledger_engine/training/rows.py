"""Contributions as rows of text, and what each row is for.

A row is a paragraph or several, at least ROW_CHARACTERS long where the file has as much. A question with its answer is a
row by itself, trained as a chat. A picture's caption and a recording's comment are the rows of their contributions. Rows
don't depend on the tokenizer, so two runs on different bases hold out the same text, and a row held out once is held out
in every later version of the datanet: a run that refines an adapter can't be judged on what its parent was trained on.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..errors import EngineError
from ..files.extract import read_text
from ..models.weights_files import canonical_json, sha256_file
from ..settings import setting
from .dialogues import DIALOGUE, Turns, plain, read_dialogues, turns_of

ROW_CHARACTERS = 400
LONGEST_PIECE = 1200
BLANK_LINES = re.compile(r"\n\s*\n")
LATE_ANSWER = re.compile(r"(^|\n)(Question:[^\n]*)\n\s*\n(?=Answer:)")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
WHOLE_BPS = 10_000

Part = Literal["train", "validation", "held_out"]


@dataclass(frozen=True)
class TrainFile:
    contribution_id: str = setting("id on chain")
    path: str = setting("where the file lies")
    format: str = setting("any format of a datanet; of pictures and recordings the text that they carry is used")


@dataclass(frozen=True)
class Row:
    contribution_id: str
    format: str
    text: str
    turns: Turns | None
    part: Part

    @property
    def held_out(self) -> bool:
        """Kept for the evaluation, never trained on."""
        return self.part == "held_out"


def split_rows(text: str) -> list[str]:
    """Paragraphs gathered until a row is long enough; paragraphs that are too long are cut between sentences."""
    rows: list[str] = []
    full = True  # nothing may be added to the last row
    for paragraph in BLANK_LINES.split(LATE_ANSWER.sub(r"\1\2\n", text.strip())):
        paragraph = paragraph.strip()
        if DIALOGUE.fullmatch(paragraph):
            rows.append(paragraph)
            full = True
            continue
        sentences = SENTENCE_END.split(paragraph) if len(paragraph) > LONGEST_PIECE else [paragraph]
        for i, sentence in enumerate(filter(None, sentences)):
            if full:
                rows.append(sentence)
            else:
                rows[-1] += (" " if i else "\n\n") + sentence
            full = len(rows[-1]) >= ROW_CHARACTERS
    return rows


def texts_of(file: TrainFile) -> list[tuple[str, Turns | None]]:
    """(text, turns when it is a dialogue) of each row of a file."""
    text = read_text(Path(file.path), file.format)
    if (dialogues := read_dialogues(text)) is not None:
        return [(plain(turns), turns) for turns in dialogues]
    return [(row, turns_of(row)) for row in split_rows(text)]


def part_of(text: str, held_out_bps: int, validation_bps: int = 0) -> Part:
    """By the hash of the row's text, never by its place. The evaluation's share does not depend on the other."""
    place = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % WHOLE_BPS
    if place < held_out_bps:
        return "held_out"
    return "validation" if place < held_out_bps + validation_bps else "train"


def read_rows(files: Iterable[TrainFile], held_out_bps: int, validation_bps: int = 0) -> list[Row]:
    """All rows, in order within each contribution. When no hash falls into the share, the lowest one is held out."""
    found = [(file, text, turns) for file in files for text, turns in texts_of(file)]
    if not found:
        raise EngineError("no_data", "the files hold no text")
    parts = {text: part_of(text, held_out_bps, validation_bps) for _, text, _ in found}
    if held_out_bps > 0 and len(parts) > 1 and "held_out" not in parts.values():
        parts[min(parts, key=lambda text: hashlib.sha256(text.encode()).digest())] = "held_out"
    return [Row(file.contribution_id, file.format, text, turns, parts[text]) for file, text, turns in found]


def in_order(files: Iterable[TrainFile]) -> list[TrainFile]:
    """Sorted, so that the order in which a request lists the files can't change the weights."""
    return sorted(files, key=lambda f: (f.contribution_id, sha256_file(Path(f.path))))


def list_files(files: Iterable[TrainFile]) -> list[dict[str, Any]]:
    """The files as a record names them: by id and hash, in an order that no request can vary."""
    rows = [
        {"contribution_id": f.contribution_id, "format": f.format, "sha256": sha256_file(Path(f.path))} for f in files
    ]
    return sorted(rows, key=canonical_json)


def data_root(files: Iterable[TrainFile]) -> str:
    return hashlib.sha256(canonical_json(list_files(files))).hexdigest()
