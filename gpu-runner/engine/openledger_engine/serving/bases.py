"""Base models: found by folder or hub id, checked, hashed, and held in memory for generation."""

from __future__ import annotations

import os
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import EngineError
from ..runtime import device, offline, torch_module
from ..weights_files import weight_files, weights_sha256

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass
class Base:
    """One base model in memory. `lock` guards the model between two forward passes; `active` is the set adapter."""

    sha256: str
    folder: Path
    model: Any
    tokenizer: Any
    context_length: int
    lock: threading.RLock = field(default_factory=threading.RLock)
    active: str | None = None
    adapters: dict[str, int] = field(default_factory=dict)  # sha256 -> rank


_BASES: dict[str, Base] = {}
_LOADING = threading.Lock()


def resolve_folder(model: str) -> Path:
    """The folder of a model: itself, that of a loaded base by hash, or the hub's local copy."""
    if model in _BASES:
        return _BASES[model].folder
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


def load_tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(folder: Path, dtype: str) -> Any:
    """A fresh copy of the model on the device. `dtype` is a torch name or `auto`."""
    from transformers import AutoModelForCausalLM

    weight_files(folder, "model")
    torch = torch_module()
    try:
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype if dtype == "auto" else getattr(torch, dtype),
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
        )
    except (OSError, ValueError, KeyError) as error:
        raise EngineError("unknown_model", f"the model can't be loaded: {error}") from error
    return model.to(device())


def context_length(model: Any) -> int:
    config = model.config
    return int(getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None) or 2048)


def loaded() -> list[Base]:
    return list(_BASES.values())


def get_base(sha256: str) -> Base:
    base = _BASES.get(sha256)
    if base is None:
        raise EngineError("unknown_model", f"base {sha256} is not loaded")
    return base


def load(model: str) -> Base:
    """Loads a base for generation, once. Weights keep their stored precision on a GPU; a CPU computes in fp32."""
    folder = resolve_folder(model)
    sha256 = weights_sha256(folder, "model")
    with _LOADING:
        if sha256 not in _BASES:
            loaded = load_model(folder, "auto" if device() == "cuda" else "float32").eval()
            _BASES[sha256] = Base(sha256, folder, loaded, load_tokenizer(folder), context_length(loaded))
        return _BASES[sha256]
