"""The text that a picture or a recording carries inside: bounded, plain, and never followed anywhere."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

MAX_CAPTION = 20_000  # characters
MAX_METADATA = 1 << 20  # bytes of a block that is searched
IMAGE_DESCRIPTION = 270  # the EXIF and TIFF tag
PNG_KEYS = ("Description", "Caption", "Comment", "description", "caption", "comment")
XMP_KEYS = ("xmp", "XML:com.adobe.xmp")
XMP_DESCRIPTION = re.compile(r"<dc:description>(.{0,100000}?)</dc:description>", re.S)
XMP_ENTRY = re.compile(r"<rdf:li[^>]{0,200}>([^<]{0,50000})</rdf:li>")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def clean(text: str) -> str:
    """Without control characters, line ends as LF, no longer than a caption may be."""
    return CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()[:MAX_CAPTION]


def as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return value[:MAX_METADATA].decode("utf-8", "ignore")
    return value if isinstance(value, str) else ""


def xmp_caption(info: Mapping[str, Any]) -> str:
    """dc:description: found, not parsed, so no entity of the XML is ever expanded but the five of XML itself."""
    for key in XMP_KEYS:
        found = XMP_DESCRIPTION.search(as_text(info.get(key))[:MAX_METADATA])
        if found and (entry := XMP_ENTRY.search(found[1])):
            return html.unescape(entry[1])
    return ""


def exif_caption(exif: Mapping[int, Any]) -> str:
    text = as_text(exif.get(IMAGE_DESCRIPTION))
    try:
        return text.encode("latin-1").decode("utf-8")  # EXIF says ASCII; most writers put UTF-8 there
    except UnicodeError:
        return text


def text_caption(info: Mapping[str, Any]) -> str:
    """tEXt, zTXt or iTXt of a PNG, whose size Pillow bounds; the comment of a JPEG."""
    return next((text for key in (*PNG_KEYS, "comment") if (text := as_text(info.get(key)).strip())), "")
