"""Tiny random bases of each family, and adapters for them, as PEFT writes them."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

from driver import BASE

WIDTHS = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4}
ROTARY = WIDTHS | {"num_key_value_heads": 2, "max_position_embeddings": 256}
FAMILIES: dict[str, dict[str, Any]] = {
    "gpt2": {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 256},
    "bloom": {"hidden_size": 64, "n_layer": 2, "n_head": 4, "seq_length": 256},
    "llama": ROTARY,
    "mistral": ROTARY | {"sliding_window": 128},
    "qwen2": ROTARY,
    "qwen3": ROTARY | {"head_dim": 16},
    "deepseek_v3": ROTARY
    | {
        "num_key_value_heads": 4, "moe_intermediate_size": 32, "n_routed_experts": 4, "n_group": 2, "topk_group": 1,
        "num_experts_per_tok": 2, "first_k_dense_replace": 1, "kv_lora_rank": 16, "q_lora_rank": 24,
        "qk_rope_head_dim": 8, "qk_nope_head_dim": 8, "v_head_dim": 16,
    },
}

# PEFT turns "all-linear" of a mixture of experts into factors of the fused experts, which can't share a batch.
TARGETS: dict[str, Any] = {
    "deepseek_v3": ["q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj", "o_proj"],
}


def make_base(family: str, folder: Path) -> Path:
    """Saved with the tokenizer of the shipped base."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(BASE)
    config = AutoConfig.for_model(family, vocab_size=len(tokenizer), initializer_range=0.1, **FAMILIES[family])
    torch.manual_seed(5)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(BASE / name, folder / name)
    return folder


def make_adapter(base: Path, folder: Path, seed: int, **settings: Any) -> str:
    """Random factors, both different from zero. Returns the hash of the weights."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    plain = AutoModelForCausalLM.from_pretrained(base)
    targets = TARGETS.get(plain.config.model_type, "all-linear")
    config = {"r": 4, "lora_alpha": 8, "target_modules": targets, "task_type": "CAUSAL_LM"} | settings
    model = get_peft_model(plain, LoraConfig(**config))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    model.save_pretrained(folder)
    return hashlib.sha256((folder / "adapter_model.safetensors").read_bytes()).hexdigest()
