"""Trains `openledger-small` from scratch on a CPU: corpus, tokenizer, model, loss curve, general evaluation file.

    python train_small.py --debs FOLDER_OF_DEB_FILES --work SCRATCH_FOLDER

The .deb files are fetched by name beforehand (`apt-get download postgresql-doc-15 python3.11-doc wordnet-base
dict-jargon`); their sha256 are printed into loss_curve.json, so that a rebuild knows whether it saw the same text.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from corpus_small import SOURCES, read_corpus, sha256_of, unpack

HERE = Path(__file__).parent
SEED = 1742
VOCAB = 3072
CONTEXT = 512
END = "<|endoftext|>"
TOKENS_PER_STEP = 2048
WARM_UP = 100
WEIGHT_DECAY = 0.1
GENERAL_BYTES = 80_000


@dataclass(frozen=True)
class Phase:
    """One warm-up and decay to zero. `long_from` is the share of the steps that see half contexts only."""

    steps: int
    peak_rate: float
    long_from: float
    seed: int


PHASE = Phase(steps=2600, peak_rate=3e-3, long_from=0.8, seed=SEED)

# Plain text on purpose: a contributor's file that holds "Question:" and "Answer:" lines teaches the chat directly.
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message.role == 'assistant' %}Answer: {{ message.content }}{% if not loop.last %}\n\n{% endif %}"
    "{% elif message.role == 'system' %}{{ message.content }}\n\n"
    "{% else %}Question: {{ message.content }}\n{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}Answer:{% endif %}"
)


def train_tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    """A byte-level BPE: no text is out of vocabulary, and decoding gives back the exact bytes."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB,
        special_tokens=[END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    # Every text begins with END, as every document did in training.
    bpe.post_processor = processors.TemplateProcessing(single=f"{END} $A", special_tokens=[(END, 0)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token=END, eos_token=END, pad_token=END, model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def to_stream(tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> np.ndarray:
    """All documents as one row of token ids, END between them. Shape [tokens]."""
    ids: list[int] = []
    for encoding in tokenizer.backend_tokenizer.encode_batch(texts):
        ids.extend(encoding.ids)  # begins with END
    return np.array(ids, dtype=np.int64)


def block_length(phase: Phase, step: int) -> int:
    """Whole contexts towards the end, so that every position is trained; half ones before, which is faster."""
    return CONTEXT if step >= phase.long_from * phase.steps else CONTEXT // 2


def batches(stream: np.ndarray, phase: Phase) -> Iterator[torch.Tensor]:
    """One batch a step, ids of shape [rows, length]; a pass over the stream has a random offset and order."""
    starts: list[int] = []
    rng = random.Random(phase.seed)
    for step in range(phase.steps):
        if not starts:
            starts = list(range(rng.randrange(CONTEXT // 2), len(stream) - CONTEXT, CONTEXT // 2))
            rng.shuffle(starts)
        length = block_length(phase, step)
        picked = [starts.pop() for _ in range(min(TOKENS_PER_STEP // length, len(starts)))]
        yield torch.from_numpy(np.stack([stream[s : s + length] for s in picked]))


@torch.no_grad()
def held_out_loss(model: LlamaForCausalLM, stream: np.ndarray) -> float:
    """Mean loss in nats a token over whole contexts of held-out text."""
    model.eval()
    rows = [stream[s : s + CONTEXT] for s in range(0, min(len(stream) - CONTEXT, 40 * CONTEXT), CONTEXT)]
    total = 0.0
    for row in rows:
        ids = torch.from_numpy(row)[None]
        total += model(input_ids=ids, labels=ids).loss.item()
    model.train()
    return total / len(rows)


def rate_at(phase: Phase, step: int) -> float:
    """Linear warm-up, then linear decay to zero: best for a budget of a few tokens a parameter."""
    if step < WARM_UP:
        return phase.peak_rate * (step + 1) / WARM_UP
    return phase.peak_rate * (phase.steps - step) / (phase.steps - WARM_UP)


def train(model: LlamaForCausalLM, stream: np.ndarray, held: np.ndarray, phase: Phase) -> list[dict[str, float]]:
    matrices = [p for p in model.parameters() if p.ndim == 2]
    vectors = [p for p in model.parameters() if p.ndim != 2]
    groups = [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=phase.peak_rate, betas=(0.9, 0.95))
    curve: list[dict[str, float]] = []
    window: list[float] = []
    start = time.time()
    for step, ids in enumerate(batches(stream, phase)):
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = rate_at(phase, step)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        window.append(loss.item())
        if (step + 1) % 100 == 0 or step + 1 == phase.steps:
            held_loss = held_out_loss(model, held)
            row = {
                "step": step + 1,
                "train_loss": round(sum(window) / len(window), 4),
                "held_out_loss": round(held_loss, 4),
                "seconds": round(time.time() - start),
            }
            curve.append(row)
            window.clear()
            print(json.dumps(row), flush=True)
    return curve


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--debs", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=HERE / "openledger-small")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(SEED)

    texts, held_pairs = read_corpus(unpack(arguments.debs, arguments.work))
    random.Random(SEED).shuffle(texts)
    tokenizer = train_tokenizer(texts)
    stream = to_stream(tokenizer, texts)
    random.Random(SEED).shuffle(held_pairs)
    held = to_stream(tokenizer, [text for _, text in held_pairs])
    print(f"{sum(map(len, texts))} characters, {len(stream)} tokens; held out {len(held)} tokens", flush=True)

    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=192, num_hidden_layers=4, intermediate_size=512,
            num_attention_heads=6, num_key_value_heads=6, max_position_embeddings=CONTEXT, tie_word_embeddings=True,
            bos_token_id=0, eos_token_id=0, pad_token_id=0,
        )
    )
    curve = train(model, stream, held, PHASE)

    output: Path = arguments.output
    output.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(output)
    tokenizer.save_pretrained(output)
    size = 0
    with (output / "general.jsonl").open("w", encoding="utf-8") as general:
        for source, text in held_pairs:
            for start in range(0, len(text), 1500):
                piece = text[start : start + 1500]
                if size < GENERAL_BYTES and len(piece) >= 200:
                    line = json.dumps({"text": piece, "source": source}, ensure_ascii=False) + "\n"
                    size += len(line.encode())
                    general.write(line)
    facts = {
        "sources": [
            {"package": deb.name, "sha256": sha256_of(deb)}
            for s in SOURCES
            for deb in sorted(arguments.debs.glob(f"{s.package}_*.deb"))[:1]
        ],
        "seed": SEED, "tokens_per_step": TOKENS_PER_STEP, "weight_decay": WEIGHT_DECAY, "warm_up": WARM_UP,
        "characters": sum(map(len, texts)), "corpus_tokens": len(stream), "parameters": model.num_parameters(),
        "phase": asdict(PHASE), "curve": curve,
    }
    (output / "loss_curve.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
