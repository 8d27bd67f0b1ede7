"""Questions with their answers, in the forms in which people submit them.

In prose: a paragraph `Question: ...` LF `Answer: ...`. In a file of its own: JSON Lines, or one JSON list, of objects
with `prompt` and `response`, with `instruction`, `output` and perhaps `input`, or with `messages` of `role` and `content`.
"""

from __future__ import annotations

import json
import re
from typing import Any

Turns = tuple[tuple[str, str], ...]  # (role, content), roles as chat templates have them

DIALOGUE = re.compile(r"Question:\s*(\S.*?)\s*\n\s*Answer:\s*(\S.*)", re.S)
LABELS = {"system": "Instruction", "user": "Question", "assistant": "Answer"}
MAX_TURNS = 256


def turns_of(paragraph: str) -> Turns | None:
    """The turns of a paragraph that is a question with its answer."""
    found = DIALOGUE.fullmatch(paragraph)
    return (("user", found[1]), ("assistant", found[2])) if found else None


def plain(turns: Turns) -> str:
    """Turns as text: what is hashed, held out by, and evaluated on."""
    return "\n".join(f"{LABELS[role]}: {content}" for role, content in turns)


def read_dialogues(text: str) -> list[Turns] | None:
    """All dialogues of a file that holds nothing else, or None: then it is prose."""
    stripped = text.strip()
    try:
        if stripped.startswith("["):
            items = json.loads(stripped)
        elif stripped.startswith("{"):
            items = [json.loads(line) for line in stripped.split("\n") if line.strip()]
        else:
            return None
        return [_turns(item) for item in items] or None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _turns(item: dict[str, Any]) -> Turns:
    if "messages" in item:
        turns = tuple((message["role"], message["content"].strip()) for message in item["messages"])
    elif "prompt" in item:
        turns = (("user", item["prompt"].strip()), ("assistant", item["response"].strip()))
    else:
        asked = "\n".join(filter(None, (item["instruction"].strip(), item.get("input", "").strip())))
        turns = (("user", asked), ("assistant", item["output"].strip()))
    roles = [role for role, _ in turns]
    if len(turns) > MAX_TURNS or not set(roles) <= set(LABELS) or "assistant" not in roles:
        raise ValueError("not a dialogue")
    if not all(content for _, content in turns):
        raise ValueError("an empty turn")
    return turns
