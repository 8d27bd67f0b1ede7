"""Adapter folders in PEFT's layout."""

from __future__ import annotations

import json
from pathlib import Path

from ..errors import EngineError


def adapter_rank(folder: Path) -> int:
    """The rank, and the proof that the folder holds a LoRA adapter."""
    try:
        config = json.loads((folder / "adapter_config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise EngineError("unknown_adapter", f"{folder.name} holds no adapter_config.json") from error
    if config.get("peft_type") != "LORA":
        raise EngineError("unknown_adapter", f"{folder.name} is not a LoRA adapter")
    return int(config["r"])
