"""The processes that train together, one to a GPU: each takes a share of every step's blocks, and gradients are summed."""

from __future__ import annotations

import os
from typing import Any

from ..runtime import torch_module

MAX_PROCESSES = 64


class Alone:
    """One process: nothing to agree on."""

    rank, size = 0, 1

    def sum_gradients(self, weights: list[Any]) -> None:
        pass

    def sum(self, value: float) -> float:
        return value


class Together:
    """Several processes through accelerate, which found its place in the environment that the launcher made."""

    def __init__(self) -> None:
        from accelerate import Accelerator

        torch = torch_module()
        self._accelerator = Accelerator(cpu=not torch.cuda.is_available())
        self.rank: int = self._accelerator.process_index
        self.size: int = self._accelerator.num_processes

    def sum_gradients(self, weights: list[Any]) -> None:
        """One message for all gradients: adapters are small. A process whose share was empty adds zeros."""
        torch = torch_module()
        gradients = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]
        total = self._accelerator.reduce(torch.cat([g.reshape(-1) for g in gradients]), reduction="sum")
        for weight, part in zip(weights, total.split([w.numel() for w in weights]), strict=True):
            weight.grad = part.view_as(weight)

    def sum(self, value: float) -> float:
        torch = torch_module()
        tensor = torch.tensor([value], dtype=torch.float64, device=self._accelerator.device)
        return float(self._accelerator.reduce(tensor, reduction="sum")[0])


Processes = Alone | Together


def wanted_processes() -> int:
    """OPENLEDGER_ENGINE_PROCESSES, else one to a GPU."""
    text = os.environ.get("OPENLEDGER_ENGINE_PROCESSES", "")
    return max(1, min(MAX_PROCESSES, int(text))) if text.isdigit() else max(1, torch_module().cuda.device_count())
