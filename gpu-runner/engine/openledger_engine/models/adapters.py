"""Adapter folders in PEFT's layout. What a stranger's configuration could make a library do is refused here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import EngineError
from .weights_files import refuse_pickles

MAX_CONFIG_BYTES = 1_000_000
MAX_RANK = 1024
MAX_NAMES = 4096
# Fields of a LoRA configuration that name code, other models, patterns or fused tensors. Adapters made here set none.
FORBIDDEN = (
    "auto_mapping", "megatron_config", "loftq_config", "eva_config", "corda_config", "lora_ga_config", "arrow_config",
    "rank_pattern", "alpha_pattern", "exclude_modules", "layers_pattern", "layer_replication", "target_parameters",
    "modules_to_save", "trainable_token_indices", "alora_invocation_tokens",
)


def _refuse(message: str) -> EngineError:
    return EngineError("unknown_adapter", message)


def read_adapter_config(folder: Path) -> dict[str, Any]:
    """The configuration of a LoRA adapter, checked before any library reads it. Its base is never looked up."""
    path = folder / "adapter_config.json"
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise _refuse(f"the configuration is over {MAX_CONFIG_BYTES} bytes")
        config = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _refuse(f"{folder.name} holds no adapter_config.json") from error
    if not isinstance(config, dict) or config.get("peft_type") != "LORA":
        raise _refuse(f"{folder.name} is not a LoRA adapter")
    if named := [name for name in FORBIDDEN if config.get(name)]:
        raise _refuse(f"the configuration sets {named[0]}, which is not allowed")
    for name, most in (("r", MAX_RANK), ("lora_alpha", 1 << 20)):
        if not isinstance(config.get(name), int) or isinstance(config[name], bool) or not 1 <= config[name] <= most:
            raise _refuse(f"{name} must be a whole number, 1..{most}")
    modules = config.get("target_modules")
    names = [modules] if isinstance(modules, str) else modules
    if not isinstance(names, list) or not 1 <= len(names) <= MAX_NAMES or not all(map(_is_name, names)):
        raise _refuse("target_modules must be names of modules; patterns are not followed")
    refuse_pickles(folder)
    return config


def _is_name(name: Any) -> bool:
    plain = isinstance(name, str) and 0 < len(name) <= 256 and name.replace("_", "").replace(".", "").isalnum()
    return plain or name == "all-linear"


def adapter_rank(folder: Path) -> int:
    """The rank, and the proof that the folder holds a LoRA adapter."""
    return int(read_adapter_config(folder)["r"])
