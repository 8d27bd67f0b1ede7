"""Where a killed run goes on: one safetensors file, replaced as a whole, whose header holds the rest as JSON.

The order of blocks and the random state of a step follow from the seed and the step's number (schedule.py), so the cursor
is that number. Weights, AdamW's moments and the best adapter so far are the tensors.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import EngineError
from ..models.weights_files import check_safetensors

MOMENTS = ("exp_avg", "exp_avg_sq", "step")
FILE = "state.safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """The checkpoint of one record in the output folder of its run."""

    folder: Path
    record_sha256: str

    def save(self, state: dict[str, Any], weights: dict[str, Any], optimizer: Any, best: dict[str, Any]) -> None:
        from safetensors.torch import save_file

        tensors = {f"weight.{name}": weight.detach() for name, weight in weights.items()}
        tensors |= {f"best.{name}": weight for name, weight in best.items()}
        for name, weight in weights.items():
            for moment in MOMENTS:
                if moment in (kept := optimizer.state.get(weight, {})):
                    tensors[f"{moment}.{name}"] = kept[moment]
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        header = {"record_sha256": self.record_sha256, "state": json.dumps(state)}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            part = self.folder / f"{FILE}.part"
            save_file(tensors, part, metadata=header)
            with part.open("rb+") as stream:
                os.fsync(stream.fileno())
            part.replace(self.folder / FILE)
        except OSError as error:
            raise EngineError("bad_params", f"output: no checkpoint: {error.strerror}", {"name": "output"}) from error

    def load(self, weights: dict[str, Any], optimizer: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Fills weights and optimizer; returns state and best adapter. One of another record, or damaged, is removed."""
        from safetensors import SafetensorError, safe_open

        path = self.folder / FILE
        if not path.exists():
            return None
        try:
            check_safetensors(path)
            with safe_open(path, framework="pt") as file:
                header = file.metadata() or {}
                if header.get("record_sha256") != self.record_sha256:
                    raise ValueError("of another record")
                state = dict(json.loads(header["state"]))
                tensors = {name: file.get_tensor(name) for name in file.keys()}
            for name, weight in weights.items():
                weight.data.copy_(tensors[f"weight.{name}"])
                found = {moment: tensors[f"{moment}.{name}"] for moment in MOMENTS if f"{moment}.{name}" in tensors}
                if found:
                    optimizer.state[weight] = {moment: tensor.to(weight.device) for moment, tensor in found.items()}
        except (EngineError, OSError, ValueError, KeyError, RuntimeError, SafetensorError):
            self.remove()
            return None
        return state, {name.removeprefix("best."): t for name, t in tensors.items() if name.startswith("best.")}

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
