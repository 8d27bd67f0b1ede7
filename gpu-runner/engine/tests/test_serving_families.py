"""Every family: rows with different adapters and lengths in one pass give what PEFT gives for each alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from serving_models import FAMILIES, make_adapter, make_base

from openledger_engine.serving.adapter_pool import AdapterPool
from openledger_engine.serving.forward import forward
from openledger_engine.serving.limits import from_environment
from openledger_engine.serving.lora_files import inspect_adapter
from openledger_engine.serving.row_cache import RowCache

PROMPTS = ([5, 9, 300, 41, 7], [17, 900, 3], [22] * 11, [8, 12, 4, 77])
STEPS = 6
BOUND = 5e-5  # fp32; logits are of the order of 10


@pytest.mark.parametrize("family", FAMILIES)
def test_a_mixed_batch_is_each_row_alone(family: str, tmp_path: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = make_base(family, tmp_path / "base")
    settings = [
        {"r": 4},
        {"r": 8, "use_rslora": True, "lora_alpha": 3},
        {"r": 2, "lora_alpha": 7},
    ]
    folders = [tmp_path / f"adapter{seed}" for seed in range(3)]
    hashes = [make_adapter(base, folder, seed, **settings[seed]) for seed, folder in enumerate(folders)]

    model = AutoModelForCausalLM.from_pretrained(base).eval()
    pool = AdapterPool(model, from_environment())
    for sha256, folder in zip(hashes, folders, strict=True):
        pool.register(inspect_adapter(folder, sha256, pool.layers), pinned=False)
    slots = [pool.acquire(sha256) or 0 for sha256 in hashes] + [0]  # the last row is the base alone

    batch, told = RowCache(model.device), []
    for prompt, slot in zip(PROMPTS, slots, strict=True):  # in two chunks, as a long prompt comes
        own = RowCache(model.device)
        own.add_rows(1)
        pool.select([slot])
        forward(model, own, [prompt[:2]], [0])
        told.append([forward(model, own, [prompt[2:]], [len(prompt) - 3])[0, 0]])
        batch.take(own, 0)
    said = [[int(row[-1].argmax())] for row in told]
    for _ in range(STEPS):
        pool.select(slots)
        logits = forward(model, batch, [row[-1:] for row in said], [0])[:, 0]
        for row in range(len(PROMPTS)):
            told[row].append(logits[row])
            said[row].append(int(logits[row].argmax()))

    worst = 0.0
    for row, prompt in enumerate(PROMPTS):
        plain = AutoModelForCausalLM.from_pretrained(base).eval()
        alone = PeftModel.from_pretrained(plain, folders[row]).eval() if row < len(folders) else plain
        with torch.no_grad():
            wanted = alone(torch.tensor([prompt + said[row][:-1]])).logits[0, len(prompt) - 1 :]
            merged = (alone.merge_and_unload() if row < len(folders) else alone)(
                torch.tensor([prompt + said[row][:-1]])
            ).logits[0, len(prompt) - 1 :]
        for other in (wanted, merged):
            worst = max(worst, float((torch.stack(told[row]) - other).abs().max()))
        if row < len(folders):  # the adapter matters far beyond the bound
            pool.select([0])
            own = RowCache(model.device)
            own.add_rows(1)
            assert (forward(model, own, [prompt], [len(prompt) - 1])[0, 0] - wanted[0]).abs().max() > 100 * BOUND
    print(f"{family}: logits differ by at most {worst:.1e}")
    assert worst < BOUND


def test_rows_leave_in_any_order(tmp_path: Path) -> None:
    """The row that takes a dropped one's place goes on as if nothing had happened."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(make_base("llama", tmp_path)).eval()
    rows = [list(range(3 + n, 40, 5 + n)) for n in range(6)]
    batch = RowCache(model.device)
    for row in rows:
        own = RowCache(model.device)
        own.add_rows(1)
        forward(model, own, [row], [0])
        batch.take(own, 0)
    alive = list(range(6))
    for leaving in (2, 0, 3, 0):
        logits = forward(model, batch, [[7 + who] for who in alive], [0])[:, 0]
        for place, who in enumerate(alive):
            rows[who].append(7 + who)
            with torch.no_grad():
                wanted = model(torch.tensor([rows[who]])).logits[0, -1]
            assert (logits[place] - wanted).abs().max() < BOUND
        batch.drop(leaving)
        alive[leaving] = alive[-1]
        alive.pop()
