"""Recordings: is the header consistent, and how long do they last? No sample is decoded."""

from __future__ import annotations

import struct
from collections.abc import Callable

from .images import Damaged

# Bit rates in kbit/s of layer III by index: MPEG 1, and MPEG 2 with 2.5.
RATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
RATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
SAMPLES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def wav(data: bytes) -> int:
    """Milliseconds, from the byte rate of `fmt ` and the length of `data`."""
    place, byte_rate = 12, 0
    while place + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, place)
        if name == b"fmt ":
            _, channels, rate, byte_rate, align, bits = struct.unpack_from("<HHIIHH", data, place + 8)
            if not (channels and rate and byte_rate and align and bits) or byte_rate != rate * align:
                raise Damaged("the sample format contradicts itself")
        if name == b"data":
            if byte_rate == 0 or place + 8 + length > len(data):
                raise Damaged("the samples are missing or cut off")
            return length * 1000 // byte_rate
        place += 8 + length + length % 2
    raise Damaged("no samples")


def mp3_frame(data: bytes, place: int) -> tuple[int, int]:
    """Length in bytes and duration in microseconds of the layer III frame at `place`."""
    head = struct.unpack_from(">I", data, place)[0]
    version, layer, rate, sampling = head >> 19 & 3, head >> 17 & 3, head >> 12 & 15, head >> 10 & 3
    if head >> 21 != 0x7FF or version == 1 or layer != 1 or rate in (0, 15) or sampling == 3:
        raise Damaged("not an MPEG audio frame")
    samples = 1152 if version == 3 else 576
    hertz = SAMPLES[version][sampling]
    kilobits = (RATES_1 if version == 3 else RATES_2)[rate]
    return samples // 8 * kilobits * 1000 // hertz + (head >> 9 & 1), samples * 1_000_000 // hertz


def mp3(data: bytes) -> int:
    """Milliseconds. At least three frames must follow one another; a tag may stand before and after them."""
    place = 0
    if data[:3] == b"ID3":
        size = data[6] << 21 | data[7] << 14 | data[8] << 7 | data[9]
        place = 10 + size
    frames = microseconds = 0
    while place + 4 <= len(data) and data[place : place + 3] != b"TAG":
        try:
            length, duration = mp3_frame(data, place)
        except Damaged:
            break
        frames, microseconds, place = frames + 1, microseconds + duration, place + length
    if frames < 3:
        raise Damaged("fewer than three audio frames")
    return microseconds // 1000


def flac(data: bytes) -> int:
    """Milliseconds, from STREAMINFO; a frame must follow the metadata blocks."""
    if data[4] & 0x7F != 0 or int.from_bytes(data[5:8], "big") != 34:
        raise Damaged("STREAMINFO must come first")
    packed = int.from_bytes(data[18:26], "big")
    hertz, samples = packed >> 44, packed & (1 << 36) - 1
    place, last = 4, False
    while not last:
        last = bool(data[place] & 0x80)
        place += 4 + int.from_bytes(data[place + 1 : place + 4], "big")
    if hertz == 0 or data[place] != 0xFF or data[place + 1] & 0xFC != 0xF8:
        raise Damaged("no audio frame after the metadata")
    return samples * 1000 // hertz


READERS: dict[str, Callable[[bytes], int]] = {"wav": wav, "mp3": mp3, "flac": flac}
FULL_SCORE_MILLISECONDS = 60_000


def audio_score(data: bytes, format: str) -> int:
    """1..10000 by duration, full at one minute. Raises Damaged, struct.error or IndexError."""
    milliseconds = READERS[format](data)
    if milliseconds <= 0:
        raise Damaged("the recording has no length")
    return max(1, min(10_000, milliseconds * 10_000 // FULL_SCORE_MILLISECONDS))
