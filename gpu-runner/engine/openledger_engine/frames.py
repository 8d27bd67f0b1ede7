"""Frames: a 4-byte big-endian length, then that many bytes of one msgpack map."""

from __future__ import annotations

import struct
import threading
from typing import Any, BinaryIO

import msgpack

MAX_FRAME = 64 * 1024 * 1024
LENGTH = struct.Struct(">I")


class MalformedFrame(Exception):
    """The byte stream can't be trusted any more; the process ends with exit code 2."""


def _exactly(stream: BinaryIO, count: int) -> bytes:
    parts = []
    while count:
        part = stream.read(min(count, 1 << 20))
        if not part:
            break
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def read_frame(stream: BinaryIO) -> dict[str, Any] | None:
    """The next map, or None when the stream ends between two frames."""
    head = _exactly(stream, LENGTH.size)
    if not head:
        return None
    if len(head) < LENGTH.size:
        raise MalformedFrame("the stream ended inside a length")
    (length,) = LENGTH.unpack(head)
    if length > MAX_FRAME:
        raise MalformedFrame(f"a frame of {length} bytes is over the limit of {MAX_FRAME}")
    body = _exactly(stream, length)
    if len(body) < length:
        raise MalformedFrame("the stream ended inside a frame")
    try:
        value = msgpack.unpackb(body, raw=False)
    except Exception as error:
        raise MalformedFrame(f"not msgpack: {error}") from error
    if not isinstance(value, dict):
        raise MalformedFrame("a frame must hold a map")
    return value


def pack_frame(value: dict[str, Any]) -> bytes:
    body = msgpack.packb(value, use_bin_type=True)
    if len(body) > MAX_FRAME:
        raise ValueError(f"an answer of {len(body)} bytes is over the limit of {MAX_FRAME}")
    return LENGTH.pack(len(body)) + body


class FrameWriter:
    """Writes whole frames from any thread."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def write(self, value: dict[str, Any]) -> None:
        data = pack_frame(value)
        with self._lock:
            self._stream.write(data)
            self._stream.flush()
