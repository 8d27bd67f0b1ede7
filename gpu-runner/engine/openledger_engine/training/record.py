"""The record of a run: everything that the weights depend on, and nothing that varies without them: no path, no time."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

from .. import ENGINE
from ..models.load import nf4_kind
from ..models.weights_files import canonical_json, sha256_file, weights_sha256
from ..runtime import device, threads
from .prepare import DataParams, Plan
from .rows import data_root, list_files


def make_record(params: DataParams, plan: Plan, general: Path | None, processes: int, adapter_config: bytes) -> bytes:
    from ..hello import versions

    return canonical_json(
        {
            "base": plan.base,
            "parent_adapter": weights_sha256(plan.parent, "adapter_model") if plan.parent else None,
            "data_root": data_root(params.files),
            "dataset_root": plan.dataset_root,
            "files": list_files(params.files),
            "heldout_share_bps": params.heldout_share_bps,
            "general": sha256_file(general) if general else None,
            "params": dataclasses.asdict(plan.config),
            "adapter_config_sha256": hashlib.sha256(adapter_config).hexdigest(),
            "quantisation": nf4_kind() if plan.config.method == "qlora" else None,
            "seed": plan.config.seed,
            "engine": {
                "name": ENGINE, "versions": versions(), "device": device(), "threads": threads(), "processes": processes,
            },
        }
    )
