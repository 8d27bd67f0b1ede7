"""The LoRA adapter of a run: fresh or refined from a parent, and saved so that its hash depends on nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import EngineError, bad_params
from ..models.adapters import read_adapter_config
from ..models.load import expert_count
from ..models.making import MAKING, peft_module
from ..models.weights_files import canonical_json, weights_sha256
from ..runtime import torch_module
from .config import MAX_MODULES, TrainConfig
from .fused_lora import fuse


def inherit(config: TrainConfig, given: Mapping[str, Any], parent: Path, base: str) -> TrainConfig:
    """A refined adapter keeps its parent's shape. Asking for another one is refused, not ignored."""
    saved = read_adapter_config(parent)
    if (named := str(saved.get("base_model_name_or_path"))).startswith("sha256:") and named != f"sha256:{base}":
        raise bad_params("parent_adapter", f"was trained on another base, {named}")
    modules = saved["target_modules"]
    shape = {
        "rank": int(saved["r"]),
        "alpha": int(saved["lora_alpha"]),
        "target_modules": (modules,) if isinstance(modules, str) else tuple(sorted(modules)),
    }
    for name in ("rank", "alpha"):
        if name in given and getattr(config, name) != shape[name]:
            raise bad_params(name, "must be that of the parent adapter", str(shape[name]))
    return dataclasses.replace(config, **shape)


def check_modules(modules: tuple[str, ...]) -> None:
    """Names of modules, not patterns: a stranger's regular expression can take for ever to match."""
    if not 1 <= len(modules) <= MAX_MODULES:
        raise bad_params("params.target_modules", "must name some modules", f"1..{MAX_MODULES} names")
    for name in modules:
        if name != "all-linear" and not (name.replace("_", "").replace(".", "").isalnum() and len(name) <= 128):
            raise bad_params("params.target_modules", f"{name[:40]!r} is no module's name", "letters, digits, _ and .")
    if "all-linear" in modules and len(modules) > 1:
        raise bad_params("params.target_modules", "all-linear stands alone")


# Feed-forward layers by the last part of their names. In a mixture PEFT takes them for the fused experts' tensors.
FEED_FORWARD = frozenset({"gate_proj", "up_proj", "down_proj", "w1", "w2", "w3"})


def module_names(model: Any, modules: tuple[str, ...]) -> str | list[str]:
    """`all-linear` as PEFT means it; of a mixture of experts the linear layers of its attention. Adapters on fused experts
    know no dropout, can't be batched with others, and are configured by patterns."""
    if not expert_count(model.config):
        return "all-linear" if modules == ("all-linear",) else list(modules)
    if modules != ("all-linear",):
        if any(name.rpartition(".")[2] in FEED_FORWARD for name in modules):
            raise bad_params("params.target_modules", "the feed-forward layers of a mixture of experts get no adapter here")
        return list(modules)
    linear, head = torch_module().nn.Linear, model.get_output_embeddings()
    found = {n.rpartition(".")[2] for n, module in model.named_modules() if isinstance(module, linear) and module is not head}
    return sorted(found - FEED_FORWARD)


def attach(model: Any, config: TrainConfig, parent: Path | None) -> Any:
    """Wraps the model."""
    adapted = _attach(model, config, parent)
    fuse(adapted)
    return adapted


def _attach(model: Any, config: TrainConfig, parent: Path | None) -> Any:
    """The seed is set right before the adapter's weights are drawn."""
    peft = peft_module()
    if config.gradient_checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    if parent is not None:
        weights_sha256(parent, "adapter_model")
        with MAKING:
            torch_module().manual_seed(config.seed)
            return peft.PeftModel.from_pretrained(model, str(parent), is_trainable=True)
    settings = peft.LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=module_names(model, config.target_modules),
        bias="none",
        task_type="CAUSAL_LM",
    )
    try:
        with MAKING:
            torch_module().manual_seed(config.seed)
            return peft.get_peft_model(model, settings)
    except ValueError as error:
        raise bad_params("params.target_modules", str(error)) from error


def adapter_config(model: Any, base: str) -> bytes:
    """The content of adapter_config.json, the same wherever the adapter is made. It names the base by hash: a path of this machine
    means nothing elsewhere, and would tell of it. PEFT's version is in the record, and its sets are in any order."""
    config = model.peft_config["default"].to_dict()
    config |= {"base_model_name_or_path": f"sha256:{base}", "inference_mode": True}
    del config["peft_version"]
    return canonical_json({name: sorted(value) if isinstance(value, set) else value for name, value in config.items()})


def save(model: Any, config: bytes, record: bytes, folder: Path) -> None:
    """A PEFT folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        model.save_pretrained(str(folder), safe_serialization=True, save_embedding_layers=False)
        (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty form of a model card
        (folder / "adapter_config.json").write_bytes(config)
        (folder / "record.json").write_bytes(record)
    except OSError as error:
        raise EngineError("bad_params", f"output: {error.strerror}", {"name": "output"}) from error
