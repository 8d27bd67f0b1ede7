"""Pictures: is the header consistent, and how many pixels are there? No pixel is decoded."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

Size = tuple[int, int]


class Damaged(Exception):
    """The structure contradicts itself. Reading past the end raises struct.error or IndexError instead."""


def png(data: bytes) -> Size:
    """Walks all chunks, with their checksums, from IHDR to IEND."""
    place, size, has_data = 8, (0, 0), False
    while True:
        length, name = struct.unpack_from(">I4s", data, place)
        body = data[place + 8 : place + 8 + length]
        (check,) = struct.unpack_from(">I", data, place + 8 + length)
        if len(body) != length or zlib.crc32(name + body) != check:
            raise Damaged("a chunk's checksum is wrong")
        if place == 8:
            if name != b"IHDR" or length != 13:
                raise Damaged("IHDR must come first")
            size = struct.unpack_from(">II", body)
        has_data |= name == b"IDAT"
        if name == b"IEND":
            if not has_data:
                raise Damaged("no picture data")
            return size
        place += 12 + length


def jpeg(data: bytes) -> Size:
    """Walks the markers up to the first scan; the size is in the frame header."""
    place, size = 2, None
    while True:
        if data[place] != 0xFF:
            raise Damaged("a marker is missing")
        marker, length = data[place + 1], struct.unpack_from(">H", data, place + 2)[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, place + 5)
            size = (width, height)
        if marker == 0xDA:
            if size is None or b"\xff\xd9" not in data[-64:]:
                raise Damaged("no frame, or no end of image")
            return size
        place += 2 + length


def webp(data: bytes) -> Size:
    if struct.unpack_from("<I", data, 4)[0] + 8 > len(data) + 1:
        raise Damaged("shorter than its RIFF header says")
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L" and data[20] == 0x2F:
        bits = struct.unpack_from("<I", data, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise Damaged("no known bit stream")


def tiff(data: bytes) -> Size:
    """Width and length are tags 256 and 257 of the first directory."""
    order = "<" if data[:2] == b"II" else ">"
    (start,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, start)
    found: dict[int, int] = {}
    for i in range(count):
        tag, kind = struct.unpack_from(order + "HH", data, start + 2 + 12 * i)
        (found[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, start + 10 + 12 * i)
    return found.get(256, 0), found.get(257, 0)


def bmp(data: bytes) -> Size:
    size, _, offset, header = struct.unpack_from("<IIII", data, 2)
    if offset >= len(data) or size > len(data) or header < 12:
        raise Damaged("the header points outside the file")
    width, height = struct.unpack_from("<hh" if header == 12 else "<ii", data, 18)
    return width, abs(height)


READERS: dict[str, Callable[[bytes], Size]] = {
    "png": png, "jpg": jpeg, "jpeg": jpeg, "webp": webp, "tiff": tiff, "bmp": bmp,
}
FULL_SCORE_PIXELS = 1024 * 1024


def image_score(data: bytes, format: str) -> int:
    """1..10000 by the number of pixels, full at 1024 x 1024. Raises Damaged, struct.error or IndexError."""
    width, height = READERS[format](data)
    if width <= 0 or height <= 0:
        raise Damaged("the picture has no size")
    return max(1, min(10_000, width * height * 10_000 // FULL_SCORE_PIXELS))
