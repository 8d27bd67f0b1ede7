"""Makes what both sides train on: a base with random weights, a text, and the text's blocks in the order of our steps."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[3]
SHIPPED = REPOSITORY / "gpu-runner/models/openledger-small"
sys.path.insert(0, str(REPOSITORY / "gpu-runner/engine"))

# A LLaMA of 42 million parameters for a CPU, one of the shape of LLaMA 3.2 1B for a GPU.
SHAPES = {
    "cpu": {"hidden_size": 512, "intermediate_size": 1408, "num_hidden_layers": 8, "num_attention_heads": 8,
            "num_key_value_heads": 8, "vocab_size": 16_000, "tie_word_embeddings": False},
    "cuda": {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32,
             "num_key_value_heads": 8, "vocab_size": 128_256, "tie_word_embeddings": True},
}
SETTINGS = {
    "cpu": {"batch_size": 4, "gradient_accumulation": 2, "max_length": 256, "precision": "fp32"},
    "cuda": {"batch_size": 8, "gradient_accumulation": 2, "max_length": 1024, "precision": "bf16"},
}
COMMON = {
    "rank": 16, "alpha": 32, "learning_rate": 2e-4, "warmup_ratio": 0.0, "epochs": 100, "checkpoint_steps": 0, "replay_share": 0.0,
    "seed": 42,
}


def make_base(folder: Path, kind: str) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(1)
    shape = SHAPES[kind]
    config = LlamaConfig(**shape, max_position_embeddings=2048, bos_token_id=0, eos_token_id=0, pad_token_id=0)
    model = LlamaForCausalLM(config)
    model.to(torch.bfloat16 if kind == "cuda" else torch.float32).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(SHIPPED / name, folder / name)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--device", choices=sorted(SHAPES), required=True)
    parser.add_argument("--steps", type=int, required=True)
    given = parser.parse_args()
    from openledger_engine.methods import Job
    from openledger_engine.settings import build
    from openledger_engine.training.prepare import DataParams, prepare
    from openledger_engine.training.schedule import picked_blocks

    make_base(given.folder / "base", given.device)
    texts = [json.loads(line)["text"] for line in (SHIPPED / "general.jsonl").read_text("utf-8").splitlines()]
    (given.folder / "text.txt").write_text("\n\n".join(texts), "utf-8")
    params = COMMON | SETTINGS[given.device] | {"max_steps": given.steps}
    request = {
        "base": str(given.folder / "base"), "params": params, "heldout_share_bps": 0,
        "files": [{"contribution_id": "1", "path": str(given.folder / "text.txt"), "format": "txt"}],
    }
    (given.folder / "request.json").write_text(json.dumps(request), "utf-8")
    plan = prepare(build(DataParams, request), Job(lambda *_: None))
    order = np.concatenate([picked_blocks(plan.config, len(plan.blocks.ids), step)[1] for step in range(given.steps)])
    np.savez(given.folder / "blocks.npz", ids=plan.blocks.ids[order], learnt=plan.blocks.learnt[order])


main()
