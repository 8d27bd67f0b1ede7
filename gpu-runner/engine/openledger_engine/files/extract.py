"""The text of a file, by its claimed format, or a rejection."""

from __future__ import annotations

from pathlib import Path

from ..errors import bad_params
from .rejection import Rejected
from .sniff import FORMATS, IMAGE_FORMATS, TEXT_FORMATS, expected, sniff

MAX_CHARACTERS = 64_000_000


def read_bytes(path: Path, max_bytes: int | None = None) -> bytes:
    try:
        size = path.stat().st_size
        if size == 0:
            raise Rejected("empty_file")
        if max_bytes is not None and size > max_bytes:
            raise Rejected("too_large", f"{size} of {max_bytes} bytes")
        return path.read_bytes()
    except OSError as error:
        raise bad_params("path", f"can't be read: {error.strerror}") from error


def check_type(data: bytes, format: str) -> None:
    """Refuses bytes whose magic contradicts the claimed format."""
    found, wanted = sniff(data[:16]), expected(format)
    if found == wanted:
        return
    if wanted == "zip" and found == "ole" and "EncryptedPackage".encode("utf-16-le") in data:
        raise Rejected("encrypted")
    raise Rejected("wrong_type", f"claimed {format}, found {found or 'no ' + format}")


def normalise(text: str) -> str:
    """Line feeds only, no byte order mark: what every later step and every hash sees."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def plain_text(data: bytes) -> str:
    if b"\0" in data:
        raise Rejected("not_text")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Rejected("invalid_utf8", f"at byte {error.start}") from error


def text_of(data: bytes, format: str) -> str:
    """The normalised text of a whole file. Libraries for pdf and docx are imported only when one is met."""
    check_type(data, format)
    if format == "pdf":
        from .pdf import pdf_text

        text = pdf_text(data)
    elif format == "docx":
        from .docx import docx_text

        text = docx_text(data)
    else:
        text = plain_text(data)
    if len(text) > MAX_CHARACTERS:
        raise Rejected("zip_bomb", f"more than {MAX_CHARACTERS} characters")
    text = normalise(text)
    if not text.strip():
        raise Rejected("no_text")
    return text


def media_text(data: bytes, format: str) -> str:
    """What a picture or a recording says about itself; empty when it says nothing."""
    check_type(data, format)
    if format in IMAGE_FORMATS:
        from .images import read_picture

        return read_picture(data, format).caption
    from .audio import read_recording

    return read_recording(data, format).caption


def read_text(path: Path, format: str) -> str:
    """The text of an accepted contribution: of a picture or a recording its caption, which may be empty. Raises
    `bad_file` when the file is not what was accepted."""
    if format not in FORMATS:
        raise bad_params("format", f"{format!r} is no format of a datanet", "/".join(FORMATS))
    data = read_bytes(path)
    return text_of(data, format) if format in TEXT_FORMATS else media_text(data, format)


def guess_format(data: bytes) -> str:
    """The format of a file that was accepted earlier and comes without one."""
    found = sniff(data[:16]) or "txt"
    return {"zip": "docx"}.get(found, found)
