"""Text that the base writes itself, mixed into training so that it stays what it was: rehearsal without old data."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..methods import Job
from ..runtime import torch_module
from .blocks import Blocks, Document, to_blocks
from .config import TrainConfig

AT_ONCE = 16
MAX_BLOCKS = 4096
NOBODYS = ""  # no contribution has this id


def replay_blocks(config: TrainConfig, blocks: int) -> int:
    """How many blocks make `replay_share` of all."""
    return min(MAX_BLOCKS, round(blocks * config.replay_share / (1 - config.replay_share)))


def write_replay(model: Any, tokenizer: Any, blocks: Blocks, config: TrainConfig, job: Job) -> Blocks:
    """`blocks` with those that the base wrote behind them. `model` is the bare base; the seed decides what it writes."""
    wanted = replay_blocks(config, len(blocks.ids))
    if wanted == 0:
        return blocks
    torch = torch_module()
    torch.manual_seed(config.seed)
    model.eval()
    first = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id or 0
    end = tokenizer.eos_token_id
    start = torch.full((AT_ONCE, 1), first, device=model.device)
    texts: list[list[int]] = []
    while sum(map(len, texts)) < wanted * config.max_length:
        job.check()
        written = model.generate(
            start, attention_mask=torch.ones_like(start), do_sample=True, temperature=1.0, top_k=0, top_p=1.0,
            max_new_tokens=config.max_length - 1, pad_token_id=tokenizer.pad_token_id,
        )
        for row in written.tolist():
            texts.append(row[: row.index(end, 1) + 1] if end in row[1:] else row)
    documents = [Document(NOBODYS, text, [True] * len(text)) for text in texts if len(text) > 1]
    own = to_blocks(documents, (), config, tokenizer.pad_token_id or 0)
    return Blocks(
        np.concatenate([blocks.ids, own.ids[:wanted]]),
        np.concatenate([blocks.owners, own.owners[:wanted]]),
        np.concatenate([blocks.learnt, own.learnt[:wanted]]),
        blocks.contributions,
    )
