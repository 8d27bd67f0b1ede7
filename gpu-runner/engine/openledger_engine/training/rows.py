"""Contributions as rows of text, and which of them are held out.

A row is a paragraph or several, at least ROW_CHARACTERS long where the file has as much. A paragraph that opens with
`Question:` and holds, or is followed by, `Answer:` is a dialogue: a row by itself, trained as a chat. Rows don't depend on the
tokenizer, so two runs on different bases hold out the same text, and a row held out once is held out in every later
version of the datanet: a run that refines an adapter can't be judged on what its parent was trained on.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import EngineError
from ..files.extract import read_text
from ..models.weights_files import canonical_json, sha256_file
from ..settings import setting

ROW_CHARACTERS = 400
LONGEST_PIECE = 1200
BLANK_LINES = re.compile(r"\n\s*\n")
DIALOGUE = re.compile(r"Question:\s*(\S.*?)\s*\n\s*Answer:\s*(\S.*)", re.S)
LATE_ANSWER = re.compile(r"(^|\n)(Question:[^\n]*)\n\s*\n(?=Answer:)")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True)
class TrainFile:
    contribution_id: str = setting("id on chain")
    path: str = setting("where the file lies")
    format: str = setting("md, txt, pdf or docx")


@dataclass(frozen=True)
class Row:
    contribution_id: str
    text: str
    held_out: bool

    @property
    def dialogue(self) -> tuple[str, str] | None:
        """(question, answer), when the row is one."""
        found = DIALOGUE.fullmatch(self.text)
        return (found[1], found[2]) if found else None


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


def is_held_out(text: str, share_bps: int) -> bool:
    """By the hash of the row's text, never by its place."""
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:8], "big") % 10_000 < share_bps


def read_rows(files: Iterable[TrainFile], share_bps: int) -> list[Row]:
    """All rows, in order within each contribution. When no hash falls into the share, the lowest one is held out."""
    texts = [(f.contribution_id, text) for f in files for text in split_rows(read_text(Path(f.path), f.format))]
    if not texts:
        raise EngineError("no_data", "the files hold no text")
    chosen = {text for _, text in texts if is_held_out(text, share_bps)}
    if not chosen and share_bps > 0 and len({text for _, text in texts}) > 1:
        chosen = {min((text for _, text in texts), key=lambda t: hashlib.sha256(t.encode()).digest())}
    return [Row(contribution_id, text, text in chosen) for contribution_id, text in texts]


def list_files(files: Iterable[TrainFile]) -> list[dict[str, Any]]:
    """The files as a record names them: by id and hash, in an order that no request can vary."""
    rows = [
        {"contribution_id": f.contribution_id, "format": f.format, "sha256": sha256_file(Path(f.path))} for f in files
    ]
    return sorted(rows, key=canonical_json)


def data_root(files: Iterable[TrainFile]) -> str:
    return hashlib.sha256(canonical_json(list_files(files))).hexdigest()
