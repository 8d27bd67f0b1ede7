"""Where a model lies: a folder, the hub's local copy, or the folder that an earlier load named by hash."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..errors import EngineError
from ..runtime import offline

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")

_BY_HASH: dict[str, Path] = {}


def remember_folder(sha256: str, folder: Path) -> None:
    """From now on the hash of its weights names this folder."""
    _BY_HASH[sha256] = folder


def resolve_folder(model: str) -> Path:
    """The folder of a model. Raises unknown_model."""
    if model in _BY_HASH:
        return _BY_HASH[model]
    if os.path.isdir(model):
        return Path(model)
    if not HUB_ID.fullmatch(model):
        raise EngineError("unknown_model", f"{model!r} is neither a folder nor a hub id")
    from huggingface_hub import snapshot_download

    try:
        patterns = ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja"]
        return Path(snapshot_download(model, allow_patterns=patterns, local_files_only=offline()))
    except Exception as error:
        raise EngineError("unknown_model", f"{model!r} can't be had: {type(error).__name__}") from error
