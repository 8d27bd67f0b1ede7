"""A model and its tokenizer from a folder: safetensors only, and no code of the folder's own."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

from ..errors import EngineError
from ..runtime import device, torch_module
from .making import MAKING, transformers_module
from .nf4 import quantise_model
from .weights_files import refuse_pickles, weight_files

MAX_CONFIG_BYTES = 1_000_000


def refuse_code(folder: Path) -> None:
    """`auto_map` asks transformers to run the folder's own Python. It would not be followed; it is refused by name."""
    for name in ("config.json", "tokenizer_config.json"):
        path = folder / name
        if not path.exists():
            continue
        try:
            if path.stat().st_size > MAX_CONFIG_BYTES:
                raise EngineError("bad_file", f"{name} is over {MAX_CONFIG_BYTES} bytes", {"reason": "too_large"})
            config = json.loads(path.read_text("utf-8"))
        except (ValueError, RecursionError, OSError) as error:
            raise EngineError("unknown_model", f"{name} is not JSON") from error
        if isinstance(config, dict) and config.get("auto_map"):
            raise EngineError("bad_file", f"{name} asks for code of its own (auto_map)", {"reason": "remote_code"})
    refuse_pickles(folder)


def load_tokenizer(folder: Path) -> Any:
    refuse_code(folder)
    try:
        with MAKING:
            loader = transformers_module().AutoTokenizer
            tokenizer = loader.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise EngineError("unknown_model", f"the tokenizer can't be loaded: {error}") from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(folder: Path, dtype: str) -> Any:
    """A fresh copy of the model on the device. `dtype` is a torch name or `auto`."""
    return _read(folder, dtype).to(device())


def load_quantised(folder: Path, dtype: str, double: bool) -> tuple[Any, str]:
    """The model with its linear layers in NF4, and whose NF4 it is: bitsandbytes on a GPU that has it, else ours."""
    if nf4_kind() == "bitsandbytes":
        with MAKING:
            settings = transformers_module().BitsAndBytesConfig(
                load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=double,
                bnb_4bit_compute_dtype=getattr(torch_module(), dtype),
            )
        return _read(folder, dtype, quantization_config=settings, device_map={"": 0}), "bitsandbytes"
    model = _read(folder, dtype)
    quantise_model(model, double)
    return model.to(device()), "openledger"


def nf4_kind() -> str:
    with_library = device() == "cuda" and importlib.util.find_spec("bitsandbytes") is not None
    return "bitsandbytes" if with_library else "openledger"


def _read(folder: Path, dtype: str, **more: Any) -> Any:
    weight_files(folder, "model")
    refuse_code(folder)
    try:
        with MAKING:
            torch = torch_module()
            return transformers_module().AutoModelForCausalLM.from_pretrained(
                folder,
                dtype=dtype if dtype == "auto" else getattr(torch, dtype),
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                **more,
            )
    except (OSError, ValueError, KeyError) as error:
        raise EngineError("unknown_model", f"the model can't be loaded: {error}") from error


def read_config(folder: Path) -> Any:
    """The model's configuration, without its weights."""
    refuse_code(folder)
    try:
        with MAKING:
            loader = transformers_module().AutoConfig
            return loader.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise EngineError("unknown_model", f"the model's configuration can't be read: {error}") from error


def context_length(model: Any) -> int:
    """Of a model or of its configuration."""
    config = getattr(model, "config", model)
    return int(getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None) or 2048)


def expert_count(config: Any) -> int:
    """Routed experts of a mixture, 0 of a dense model."""
    names = ("n_routed_experts", "num_experts", "num_local_experts")
    return next((int(count) for name in names if (count := getattr(config, name, None))), 0)
