"""The base of a run, as its parameters want it held."""

from __future__ import annotations

from typing import Any

from ..models.load import load_model, load_quantised
from .prepare import Plan

DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}


def load_base_model(plan: Plan) -> Any:
    dtype = DTYPES[plan.config.precision]
    if plan.config.method == "qlora":
        return load_quantised(plan.folder, dtype, plan.config.double_quantisation)[0]
    return load_model(plan.folder, dtype)
