"""Recordings: decoded for real, under limits, and what they say about themselves. libsndfile decodes."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np

from .captions import clean
from .fingerprint import HERTZ, fingerprint, mono
from .rejection import Rejected

LIBRARY_FORMATS = {"wav": ("WAV", "WAVEX", "RF64"), "mp3": ("MP3", "MPEG"), "flac": ("FLAC",)}
MAX_SECONDS = 4 * 3600
MAX_CHANNELS = 16
MAX_HERTZ = 384_000
FRAMES_AT_ONCE = 1 << 18
FULL_SCORE_MILLISECONDS = 60_000
CAPTION_KEYS = ("comment", "title")


@dataclass(frozen=True)
class Recording:
    milliseconds: int
    hertz: int
    channels: int
    fingerprint: np.ndarray[Any, np.dtype[np.uint32]]
    caption: str

    def score(self) -> int:
        """1..10000 by duration, full at one minute."""
        return max(1, min(10_000, self.milliseconds * 10_000 // FULL_SCORE_MILLISECONDS))


def read_recording(data: bytes, format: str) -> Recording:
    """Raises Rejected."""
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(data)) as sound:
            if sound.format not in LIBRARY_FORMATS[format]:
                raise Rejected("wrong_type", f"claimed {format}, found {sound.format}")
            return _decode(sound, data, format)
    except Rejected:
        raise
    except (soundfile.LibsndfileError, RuntimeError, ValueError, MemoryError) as error:
        raise Rejected("malformed", str(error)[:200]) from error


def _decode(sound: Any, data: bytes, format: str) -> Recording:
    hertz, channels = sound.samplerate, sound.channels
    if not 1 <= channels <= MAX_CHANNELS or not 1000 <= hertz <= MAX_HERTZ:
        raise Rejected("malformed", f"{channels} channels at {hertz} Hz")
    if format == "wav":
        _check_wav(data)
    frames, parts = 0, []
    while len(block := sound.read(FRAMES_AT_ONCE, dtype="float32", always_2d=True)):
        frames += len(block)
        if frames > MAX_SECONDS * hertz:
            raise Rejected("zip_bomb", f"longer than {MAX_SECONDS} seconds")
        if not np.isfinite(block).all():
            raise Rejected("malformed", "a sample is no number")
        parts.append(mono(block, hertz))
    if frames == 0:
        raise Rejected("malformed", "no samples")
    if format != "mp3" and frames != sound.frames:
        raise Rejected("malformed", "the samples are cut off")
    tags = sound.copy_metadata()
    caption = next((text for key in CAPTION_KEYS if (text := clean(tags.get(key, "")))), "")
    return Recording(frames * 1000 // hertz, hertz, channels, fingerprint(np.concatenate(parts), HERTZ), caption)


def _check_wav(data: bytes) -> None:
    """libsndfile takes a file that ends before its samples do; a contribution may not."""
    place = 12
    while place + 8 <= len(data):
        length = int.from_bytes(data[place + 4 : place + 8], "little")
        if data[place : place + 4] == b"data" and place + 8 + length > len(data):
            raise Rejected("malformed", "the samples are cut off")
        place += 8 + length + length % 2
