"""Text of a PDF. The page's line breaks are undone, so that a sentence is a sentence again."""

from __future__ import annotations

import io
import time
from typing import Any

from .rejection import Rejected

MAX_PAGES = 2000
MAX_CHARACTERS = 64_000_000
MAX_SECONDS = 60
FULL_LINE_SHARE = 75  # a line shorter than this percentage of the page's longest ends its paragraph


def pdf_text(data: bytes) -> str:
    import logging

    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.ERROR)
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted:
            raise Rejected("encrypted")
        if len(reader.pages) > MAX_PAGES:
            raise Rejected("malformed", f"more than {MAX_PAGES} pages")
        pages = _read_pages(reader)
    except Rejected:
        raise
    except RecursionError as error:
        raise Rejected("zip_bomb", "nested too deeply") from error
    except Exception as error:  # pypdf raises many kinds on damaged files; each means the same to the contributor
        if "limit" in str(error).lower():
            raise Rejected("zip_bomb") from error
        raise Rejected("malformed", type(error).__name__) from error
    return "\n\n".join(filter(None, map(unwrap, pages)))


def _read_pages(reader: Any) -> list[str]:
    """Page by page, so that a file made to take for ever, or to yield text without end, is left."""
    began, characters = time.monotonic(), 0
    pages: list[str] = []
    for page in reader.pages:
        pages.append(page.extract_text())
        characters += len(pages[-1])
        if characters > MAX_CHARACTERS or time.monotonic() - began > MAX_SECONDS:
            raise Rejected("zip_bomb", f"more than {MAX_CHARACTERS} characters or {MAX_SECONDS} seconds")
    return pages


def unwrap(page: str) -> str:
    """Joins the lines of a paragraph. A short line, or an empty one, ends it; a question or an answer begins one."""
    lines = [line.strip() for line in page.splitlines()]
    full = max(map(len, lines), default=0) * FULL_LINE_SHARE // 100
    paragraphs: list[str] = []
    current: list[str] = []
    for line in lines:
        if current and line.startswith(("Question:", "Answer:")):
            paragraphs.append(" ".join(current))
            current = []
        if line:
            current.append(line)
        if current and len(line) < full:
            paragraphs.append(" ".join(current))
            current = []
    return "\n\n".join([*paragraphs, *([" ".join(current)] if current else [])])
