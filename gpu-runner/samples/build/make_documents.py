"""Makes the sample files that are not plain text: a docx, a pdf, a picture with a wrong name, a near-duplicate.

    python make_documents.py

The texts lie beside this script; the results go to bo/ and chi/. Running it again gives the same bytes for the pdf,
the picture and the near-duplicate; a docx holds the time of its making.
"""

from __future__ import annotations

import struct
import textwrap
import zlib
from pathlib import Path

import docx

HERE = Path(__file__).parent
SAMPLES = HERE.parent
LINE_WIDTH, LINES_ON_PAGE, LEADING = 88, 48, 15


def paragraphs(name: str) -> list[str]:
    return [p.strip() for p in (HERE / name).read_text("utf-8").split("\n\n") if p.strip()]


def is_heading(paragraph: str) -> bool:
    return len(paragraph) < 60 and not paragraph.endswith((".", "?"))


def write_docx(name: str, target: Path) -> None:
    document = docx.Document()
    for i, paragraph in enumerate(paragraphs(name)):
        if is_heading(paragraph):
            document.add_heading(paragraph, level=1 if i else 0)
        else:
            document.add_paragraph(paragraph)
    document.save(str(target))


def pdf_lines(name: str) -> list[str]:
    """Wrapped lines; questions and answers stay on lines of their own, an empty line follows each paragraph."""
    lines: list[str] = []
    for paragraph in paragraphs(name):
        for part in paragraph.split("\n"):
            lines.extend(textwrap.wrap(part, LINE_WIDTH))
        lines.append("")
    return lines


def page_stream(lines: list[str]) -> bytes:
    """Text operators of one page: Helvetica at 11 points, from the top left."""
    shown = []
    for line in lines:
        escaped = line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        shown.append(f"({escaped}) Tj T*")
    body = "\n".join(shown)
    return f"BT /F1 11 Tf {LEADING} TL 60 780 Td\n{body}\nET".encode("latin-1")


def write_pdf(name: str, target: Path) -> None:
    """A PDF 1.4 file by hand: catalogue, page tree, one font, and a page with its stream each."""
    lines = pdf_lines(name)
    pages = [lines[i : i + LINES_ON_PAGE] for i in range(0, len(lines), LINES_ON_PAGE)]
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for i, page in enumerate(pages):
        stream = page_stream(page)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
            f"/Contents {5 + 2 * i} 0 R >>".encode()
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n".encode() + stream + b"\nendstream")
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    target.write_bytes(bytes(out))


def write_png(target: Path) -> None:
    """A picture of a sun over a field, 32 by 32 pixels."""
    rows = bytearray()
    for y in range(32):
        rows.append(0)  # no filter
        for x in range(32):
            sun = (x - 22) ** 2 + (y - 9) ** 2 < 30
            rows += bytes((250, 200, 40) if sun else (120, 180, 240) if y < 20 else (60, 140, 60))

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", 32, 32, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(rows), 9)) + chunk(b"IEND", b"")
    target.write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def write_copy(original: Path, target: Path) -> None:
    """What a copier does: another title, a few words changed, a line added."""
    text = original.read_text("utf-8")
    text = text.replace("# The islanding drill", "# My notes on leaving the grid", 1)
    text = text.replace("two long rings of the hall bell", "two long blasts of the horn")
    text = text.replace("like two teams at one rope", "like two horses at one cart")
    target.write_text(text + "\nWritten down by Chi.\n", "utf-8")


def main() -> None:
    write_docx("panel-care.txt", SAMPLES / "bo" / "panel-care.docx")
    write_pdf("storm-plan.txt", SAMPLES / "chi" / "storm-plan.pdf")
    write_png(SAMPLES / "bo" / "photo-renamed.txt")
    write_copy(SAMPLES / "ana" / "islanding-drill.md", SAMPLES / "chi" / "copy-of-ana.md")


if __name__ == "__main__":
    main()
