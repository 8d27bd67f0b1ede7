"""Passages as the model is shown them: one fixed form, so that anybody can tell what an answer was made from."""

from __future__ import annotations

from collections.abc import Sequence


def render(passages: Sequence[str]) -> str:
    """Numbered from 1, in the order of rank; line ends within a passage become spaces. Empty without passages."""
    if not passages:
        return ""
    listed = "\n".join(f"[{number}] {' '.join(text.split())}" for number, text in enumerate(passages, 1))
    return f"Passages:\n{listed}\nAnswer from these passages, and name those that you use by number, like [1].\n"
