"""Text of a Word document, after its archive has been found harmless."""

from __future__ import annotations

import io
import zipfile

from .rejection import Rejected

MAX_ENTRIES = 2000
MAX_INFLATED = 64 * 1024 * 1024
MAX_RATIO = 100
RATIO_FROM = 1024 * 1024  # small members of repeated XML compress well and hurt nobody


def check_archive(data: bytes) -> None:
    """Inflates every member and counts: an archive's own figures can lie."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        if len(members) > MAX_ENTRIES:
            raise Rejected("zip_bomb", f"more than {MAX_ENTRIES} members")
        if any(member.flag_bits & 1 for member in members):
            raise Rejected("encrypted")
        if "word/document.xml" not in {member.filename for member in members}:
            raise Rejected("wrong_type", "a zip archive, but no Word document")
        total = 0
        for member in members:
            inflated = 0
            with archive.open(member) as stream:
                while part := stream.read(1 << 16):
                    inflated += len(part)
                    total += len(part)
                    if total > MAX_INFLATED:
                        raise Rejected("zip_bomb", f"more than {MAX_INFLATED} bytes")
                    if inflated > RATIO_FROM and inflated > MAX_RATIO * max(member.compress_size, 1):
                        raise Rejected("zip_bomb", f"inflates more than {MAX_RATIO} times")


def docx_text(data: bytes) -> str:
    import docx
    from docx.table import Table

    try:
        check_archive(data)
        document = docx.Document(io.BytesIO(data))
        blocks: list[str] = []
        for block in document.iter_inner_content():
            if isinstance(block, Table):
                blocks.extend(" | ".join(cell.text for cell in row.cells) for row in block.rows)
            else:
                blocks.append(block.text)
    except Rejected:
        raise
    except Exception as error:  # zipfile, lxml and python-docx each have their own
        raise Rejected("malformed", type(error).__name__) from error
    return "\n\n".join(block for block in blocks if block.strip())
