"""Evaluation rows in JSON Lines: one object a line, its text under `text`."""

from __future__ import annotations

import json
from pathlib import Path

from ..errors import bad_params


def read_rows_file(path: Path, name: str) -> list[str]:
    try:
        lines = path.read_text("utf-8").split("\n")
        texts = [json.loads(line)["text"] for line in lines if line.strip()]
    except OSError as error:
        raise bad_params(name, f"can't be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise bad_params(name, "must hold one JSON object with `text` a line") from error
    if not texts or not all(isinstance(text, str) for text in texts):
        raise bad_params(name, "must hold at least one row, and text in each")
    return texts
