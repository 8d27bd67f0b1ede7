"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

ZIP = b"PK\x03\x04"
OLE = bytes.fromhex("d0cf11e0a1b11ae1")

# (offset, bytes, what it is); the first match counts. `binary` stands for anything that no datanet takes.
MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", "pdf"), (0, ZIP, "zip"), (0, b"PK\x05\x06", "zip"), (0, OLE, "ole"),
    (0, b"\x89PNG\r\n\x1a\n", "png"), (0, b"\xff\xd8\xff", "jpeg"), (8, b"WEBP", "webp"), (0, b"II*\0", "tiff"),
    (0, b"MM\0*", "tiff"), (8, b"WAVE", "wav"), (0, b"fLaC", "flac"), (0, b"ID3\x02", "mp3"), (0, b"ID3\x03", "mp3"),
    (0, b"ID3\x04", "mp3"), (0, b"GIF8", "binary"),
    (0, b"\x7fELF", "binary"), (0, b"MZ\x90", "binary"), (0, b"\x1f\x8b", "binary"), (0, b"OggS\0", "binary"),
    (0, b"7z\xbc\xaf\x27\x1c", "binary"), (0, b"Rar!\x1a\x07", "binary"), (0, b"\x80\x02", "binary"),
)
TEXT_FORMATS = ("md", "txt", "pdf", "docx")
IMAGE_FORMATS = ("png", "jpg", "jpeg", "webp", "tiff", "bmp")
AUDIO_FORMATS = ("wav", "mp3", "flac")
FORMATS = TEXT_FORMATS + IMAGE_FORMATS + AUDIO_FORMATS


def sniff(head: bytes) -> str | None:
    """The type by magic bytes, or None when none is known: plain text has no magic."""
    for offset, magic, name in MAGIC:
        if head[offset : offset + len(magic)] == magic:
            if offset == 0 or head[:4] == b"RIFF":
                return name
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return "bmp"
    # An MPEG audio frame: eleven set bits, layer III, and neither version nor bit rate reserved.
    if len(head) > 3 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2 and head[1] & 0x18 != 0x08 and head[2] >> 4 != 15:
        return "mp3"
    return None


def expected(format: str) -> str | None:
    """The sniffed type that a claimed format must have."""
    return {"md": None, "txt": None, "docx": "zip", "jpg": "jpeg"}.get(format, format)
