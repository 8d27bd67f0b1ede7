"""Real text that every machine with the engine has: documentation strings of Python and of the packages it is pinned to."""

from __future__ import annotations

import ast
import inspect
import sysconfig
from collections.abc import Iterator
from pathlib import Path

STANDARD = Path(sysconfig.get_paths()["stdlib"])
PACKAGES = Path(sysconfig.get_paths()["purelib"])
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def docstrings(path: Path) -> list[str]:
    """Documentation strings of a source file in their order; nothing of it is run. Empty when it can't be parsed."""
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except (SyntaxError, UnicodeDecodeError, RecursionError):
        return []
    nodes = sorted(
        (n for n in ast.walk(tree) if isinstance(n, DOCUMENTED)), key=lambda n: getattr(n, "lineno", 0)
    )
    return [inspect.cleandoc(text) for n in nodes if (text := ast.get_docstring(n, clean=False))]


def modules(root: Path) -> Iterator[tuple[str, list[str]]]:
    """(dotted name, docstrings) of every module below a folder, by name; tests and installed packages left out."""
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if {"test", "tests", "site-packages", "idlelib", "turtledemo"} & set(parts):
            continue
        texts = docstrings(path)
        if texts:
            yield ".".join(parts), texts


def corpus(limit: int) -> Iterator[tuple[str, str]]:
    """(name, text) of modules until their UTF-8 reaches `limit` bytes; the last one is cut there."""
    left = limit
    for root in (STANDARD, PACKAGES):
        for name, texts in modules(root):
            text = "\n\n".join(texts).encode()[:left].decode(errors="ignore")
            left -= len(text.encode())
            yield name, text
            if left <= 0:
                return
