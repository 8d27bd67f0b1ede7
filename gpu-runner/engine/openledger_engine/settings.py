"""Typed parameters: a dataclass field carries its help and range, and `build` checks a map against them."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from .errors import bad_params

T = TypeVar("T")


def setting(
    help: str,
    *,
    default: Any = dataclasses.MISSING,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
    unit: str | None = None,
    group: str | None = None,
    too_low: str | None = None,
    too_high: str | None = None,
) -> Any:
    """A dataclass field with what a person has to know to set it. `low` and `high` are inclusive.

    `group` is the part of a form it belongs to; `too_low` and `too_high` tell what goes wrong at either end.
    """
    metadata = {
        "help": help, "low": low, "high": high, "choices": choices, "unit": unit, "group": group,
        "extremes": {"low": too_low, "high": too_high},
    }
    return dataclasses.field(default=default, metadata=metadata)


def allowed(field: dataclasses.Field[Any]) -> str | None:
    """The range of a field as text, e.g. `1..256` or `cosine/linear`."""
    meta = field.metadata
    if meta.get("choices"):
        return "/".join(meta["choices"])
    if meta.get("low") is None and meta.get("high") is None:
        return None
    return "..".join("" if bound is None else f"{bound:g}" for bound in (meta.get("low"), meta.get("high")))


TYPES = {int: "integer", float: "number", str: "text", bool: "switch", tuple: "list", dict: "map"}


def describe(cls: type) -> list[dict[str, Any]]:
    """The table behind a form: one row per field, in the order of the fields. `optional`: none means a derived default."""
    hints = typing.get_type_hints(cls)
    return [
        {
            "name": field.name,
            "group": field.metadata.get("group"),
            "type": TYPES[_plain(hints[field.name])],
            "optional": types.NoneType in typing.get_args(hints[field.name]),
            "default": list(field.default) if isinstance(field.default, tuple) else field.default,
            "low": field.metadata.get("low"),
            "high": field.metadata.get("high"),
            "choices": list(field.metadata.get("choices") or ()),
            "unit": field.metadata.get("unit"),
            "help": field.metadata.get("help", ""),
            "extremes": field.metadata.get("extremes"),
        }
        for field in dataclasses.fields(cls)
    ]


def _plain(hint: Any) -> type:
    """`float | None` is float, `tuple[str, ...]` is tuple."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(option for option in typing.get_args(hint) if option is not types.NoneType)
    return typing.get_origin(hint) or hint


def build(cls: type[T], values: Any, where: str = "") -> T:
    """Makes a `cls` from a map off the wire; unknown, missing, ill-typed and out-of-range values are refused."""
    if not isinstance(values, Mapping):
        raise bad_params(where or "params", "must be a map")
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for key in values:
        if key not in fields:
            raise bad_params(f"{where}{key}", "is not a parameter", "/".join(fields))
    hints = typing.get_type_hints(cls)
    made: dict[str, Any] = {}
    for name, field in fields.items():
        value = values.get(name)
        if value is not None:
            made[name] = _check(hints[name], value, f"{where}{name}", field)
        elif field.default is dataclasses.MISSING:
            raise bad_params(f"{where}{name}", "is required", allowed(field))
    return cls(**made)


def _check(hint: Any, value: Any, name: str, field: dataclasses.Field[Any]) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(option for option in typing.get_args(hint) if option is not type(None))
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, (list, tuple)):
            raise bad_params(name, "must be a list")
        inner = typing.get_args(hint)[0]
        return tuple(_check(inner, item, f"{name}[{i}]", field) for i, item in enumerate(value))
    if dataclasses.is_dataclass(hint):
        return build(hint, value, f"{name}.")  # type: ignore[arg-type]
    if hint is dict or typing.get_origin(hint) is dict:
        if not isinstance(value, Mapping):
            raise bad_params(name, "must be a map")
        return dict(value)
    # bool is an int in Python and NaN passes every comparison: both are caught here.
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, hint) or isinstance(value, bool) is not (hint is bool):
        raise bad_params(name, f"must be of type {hint.__name__}", allowed(field))
    if isinstance(value, float) and not math.isfinite(value):
        raise bad_params(name, "must be a finite number", allowed(field))
    meta = field.metadata
    low, high, choices = meta.get("low"), meta.get("high"), meta.get("choices")
    below = isinstance(value, (int, float)) and low is not None and value < low
    above = isinstance(value, (int, float)) and high is not None and value > high
    if below or above or (choices and value not in choices):
        raise bad_params(name, f"{value!r} is out of range", allowed(field))
    return value
