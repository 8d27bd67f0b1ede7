"""From chat messages to the prompt that the model reads."""

from __future__ import annotations

from typing import Any

ROLES = ("system", "user", "assistant")


def render(tokenizer: Any, messages: list[dict[str, str]]) -> str:
    """The tokenizer's own template, or a plain one where the model has none."""
    if tokenizer.chat_template:
        return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
    return "".join(f"{m['role'].capitalize()}: {m['content']}\n" for m in messages) + "Assistant:"
