"""A model and its tokenizer from a folder: safetensors only, and no code of the folder's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import EngineError
from ..runtime import device, torch_module
from .weights_files import weight_files


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
