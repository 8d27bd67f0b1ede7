from __future__ import annotations

import io
import wave
import zipfile
import zlib
from pathlib import Path
from typing import Any

import docx
import pypdf
import pytest
from driver import SAMPLES

from openledger_engine.files.validate import KnownFile, ValidateParams, validate_file
from openledger_engine.methods import Job

PROSE = (SAMPLES / "ana" / "daily-running.md").read_text("utf-8")


def judge(path: Path, format: str, *known: tuple[str, Path], max_bytes: int = 10_000_000) -> dict[str, Any]:
    listed = tuple(KnownFile(i, str(p)) for i, p in known)
    return validate_file(ValidateParams(str(path), format, max_bytes, listed), Job(lambda *_: None))


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "format"),
    [("ana/daily-running.md", "md"), ("bo/member-meters.txt", "txt"), ("bo/panel-care.docx", "docx"), ("chi/storm-plan.pdf", "pdf")],
)
def test_real_files_of_every_text_format_are_accepted(name: str, format: str) -> None:
    verdict = judge(SAMPLES / name, format)
    assert verdict["accepted"] and 1000 < verdict["score"] <= 10_000
    assert verdict["characters"] > 5000 and verdict["tokens"] > 900
    assert verdict == judge(SAMPLES / name, format)


def test_the_two_bad_samples_are_refused() -> None:
    assert judge(SAMPLES / "bo" / "photo-renamed.txt", "txt")["reason"] == "wrong_type"
    copy = judge(SAMPLES / "chi" / "copy-of-ana.md", "md", ("7", SAMPLES / "ana" / "islanding-drill.md"))
    assert copy["reason"] == "near_duplicate" and copy["nearest"]["contribution_id"] == "7"
    assert copy["nearest"]["similarity_bps"] >= 8000


def zip_of(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def encrypted_pdf() -> bytes:
    writer = pypdf.PdfWriter(clone_from=SAMPLES / "chi" / "storm-plan.pdf")
    writer.encrypt("secret", algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def blank_pdf() -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(200, 200)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def pdf_of(stream: bytes, body: bytes, extra: bytes = b"<<>>") -> bytes:
    """A page whose content is `body`, and one more object that its resources name."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</Font 5 0 R>>>>",
        stream % len(body) + b"stream\n" + body + b"\nendstream", extra,
    ]
    data = b"%PDF-1.4\n"
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return data + table + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(data)


REFUSED = {
    "empty": (lambda: b"", "txt", "empty_file"),
    "NUL in text": (lambda: PROSE.encode() + b"\0", "txt", "not_text"),
    "invalid UTF-8": (lambda: PROSE.encode() + b"\xff\xfe", "md", "invalid_utf8"),
    "UTF-16": (lambda: PROSE.encode("utf-16"), "txt", "not_text"),
    "text named pdf": (lambda: PROSE.encode(), "pdf", "wrong_type"),
    "text named docx": (lambda: PROSE.encode(), "docx", "wrong_type"),
    "text named png": (lambda: PROSE.encode(), "png", "wrong_type"),
    "zip named docx": (lambda: zip_of({"a.txt": b"a" * 500}), "docx", "wrong_type"),
    "program named txt": (lambda: b"\x7fELF" + b"a" * 500, "txt", "wrong_type"),
    "cut pdf": (lambda: (SAMPLES / "chi" / "storm-plan.pdf").read_bytes()[:700], "pdf", "malformed"),
    "cut docx": (lambda: (SAMPLES / "bo" / "panel-care.docx").read_bytes()[:9000], "docx", "malformed"),
    "encrypted pdf": (encrypted_pdf, "pdf", "encrypted"),
    "pdf without text": (blank_pdf, "pdf", "no_text"),
    "blank text": (lambda: b" \n" * 400, "txt", "no_text"),
    "short": (lambda: b"Too little to learn from.", "txt", "too_short"),
    "zip bomb by ratio": (lambda: zip_of({"word/document.xml": b" " * 8_000_000}), "docx", "zip_bomb"),
    "encrypted docx": (
        lambda: bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "docx", "encrypted"
    ),
    "cut png": (lambda: (SAMPLES / "bo" / "photo-renamed.txt").read_bytes()[:-20], "png", "malformed"),
    "cut wav": (lambda: sound()[:-100], "wav", "malformed"),
    "docx nested deeply": (lambda: zip_of({"word/document.xml": b"<a>" * 50_000}), "docx", "malformed"),
    "docx of many members": (lambda: zip_of({f"{i}.xml": b"" for i in range(2100)}), "docx", "zip_bomb"),
    "pdf stream bomb": (lambda: pdf_of(b"<</Filter/FlateDecode/Length %d>>", zlib.compress(b"0 0 Td " * 40_000_000)), "pdf", "zip_bomb"),
    "pdf of nested arrays": (lambda: pdf_of(b"<</Length %d>>", b"", extra=b"[" * 200_000), "pdf", "zip_bomb"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_a_reason(case: str, tmp_path: Path) -> None:
    make, format, reason = REFUSED[case]
    verdict = judge(write(tmp_path, "file", make()), format)
    assert verdict["accepted"] is False
    assert verdict["reason"] == reason, verdict["message"]


def test_the_size_limit_counts_before_anything_is_read(tmp_path: Path) -> None:
    assert judge(write(tmp_path, "f", PROSE.encode()), "txt", max_bytes=100)["reason"] == "too_large"


def test_repetition_scores_next_to_nothing(tmp_path: Path) -> None:
    pasted = judge(write(tmp_path, "pasted", b"Buy more panels from us today, they are cheap. " * 2000), "txt")
    honest = judge(SAMPLES / "ana" / "daily-running.md", "md")
    assert pasted["score"] * 50 < honest["score"]


def test_novelty_counts(tmp_path: Path) -> None:
    half = PROSE[: len(PROSE) // 2] + (SAMPLES / "bo" / "member-meters.txt").read_text("utf-8")
    path = write(tmp_path, "half", half.encode())
    alone, beside = judge(path, "txt"), judge(path, "txt", ("1", SAMPLES / "ana" / "daily-running.md"))
    assert beside["accepted"] and beside["nearest"]["contribution_id"] == "1"
    assert beside["score"] < alone["score"]


def test_tables_of_a_docx_are_text_too(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_paragraph(PROSE[:300])
    document.add_table(1, 2).rows[0].cells[1].text = "inside a table"
    document.save(str(tmp_path / "t.docx"))
    from openledger_engine.files.extract import read_text

    assert "inside a table" in read_text(tmp_path / "t.docx", "docx")


def sound() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(b"\1\2" * 48_000)
    return buffer.getvalue()
