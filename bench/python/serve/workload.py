"""The same work for everyone: a random LLaMA-shaped base, random adapters on all linear layers, seeded requests."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RANK = 8
ALPHA = 16
PROMPT_TOKENS = (32, 128)
NEW_TOKENS = (32, 64)
LAYERS = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
          "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")  # fmt: skip
# 36 million parameters in fp32 for a CPU; 1.1 thousand million in bf16 for a GPU.
SHAPES: dict[str, dict[str, int]] = {
    "cpu": {"hidden_size": 512, "intermediate_size": 1376, "num_hidden_layers": 10, "num_attention_heads": 8},
    "cuda": {"hidden_size": 2048, "intermediate_size": 5632, "num_hidden_layers": 22, "num_attention_heads": 32},
}
VOCABULARY = {"cpu": 8192, "cuda": 32000}


@dataclass(frozen=True)
class Request:
    adapter: int
    prompt: list[int]
    new_tokens: int


def requests(count: int, adapters: int, vocabulary: int) -> list[Request]:
    """Adapters in turn, then shuffled. The lengths do not depend on how many adapters there are."""
    rng = random.Random(11)
    lengths = [(rng.randint(*PROMPT_TOKENS), rng.randint(*NEW_TOKENS)) for _ in range(count)]
    names = [n % adapters for n in range(count)]
    rng.shuffle(names)
    return [
        Request(name, [rng.randrange(vocabulary) for _ in range(prompt)], new)
        for name, (prompt, new) in zip(names, lengths, strict=True)
    ]


def make_base(device: str, folder: Path) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = SHAPES[device]
    config = LlamaConfig(
        **shape,
        vocab_size=VOCABULARY[device],
        num_key_value_heads=shape["num_attention_heads"],
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=None,  # every answer has its full length
    )
    torch.manual_seed(3)
    LlamaForCausalLM(config).to(torch.bfloat16 if device == "cuda" else torch.float32).save_pretrained(folder)


def make_adapters(device: str, count: int, folder: Path) -> None:
    """PEFT folders 0, 1, ... with both factors random."""
    import torch
    from safetensors.torch import save_file

    shape = SHAPES[device]
    wide, inner = shape["hidden_size"], shape["intermediate_size"]
    widths = {name: (wide, wide) for name in LAYERS[:4]}
    widths |= {"mlp.gate_proj": (wide, inner), "mlp.up_proj": (wide, inner), "mlp.down_proj": (inner, wide)}
    config = {
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": RANK, "lora_alpha": ALPHA, "lora_dropout": 0.0,
        "bias": "none", "target_modules": sorted(name.split(".")[1] for name in LAYERS), "inference_mode": True,
    }  # fmt: skip
    for adapter in range(count):
        generator = torch.Generator().manual_seed(adapter)

        def factor(*size: int) -> Any:
            made = torch.randn(size, generator=generator) * 0.02
            return made.to(torch.bfloat16 if device == "cuda" else torch.float32)

        tensors = {}
        for layer in range(shape["num_hidden_layers"]):
            for name, (into, out) in widths.items():
                key = f"base_model.model.model.layers.{layer}.{name}.lora_"
                tensors |= {f"{key}A.weight": factor(RANK, into), f"{key}B.weight": factor(out, RANK)}
        target = folder / str(adapter)
        target.mkdir(parents=True)
        save_file(tensors, target / "adapter_model.safetensors", metadata={"format": "pt"})
        (target / "adapter_config.json").write_text(json.dumps(config), "utf-8")
