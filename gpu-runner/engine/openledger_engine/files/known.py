"""What is remembered of a file accepted earlier: enough to notice its copies."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

from ..evidence.words import folded_words
from .audio import read_recording
from .extract import guess_format, read_bytes, text_of
from .fingerprint import Prints
from .images import read_picture
from .sketch import Sketch, shingles, sketch
from .sniff import AUDIO_FORMATS, IMAGE_FORMATS


@dataclass(frozen=True)
class Known:
    """The hash of the bytes, and by kind a text's sketch, a picture's hash or a recording's fingerprint."""

    sha256: str
    sketch: Sketch | None = None
    picture: int | None = None
    sound: Prints | None = None


@functools.lru_cache(maxsize=4096)
def _known(path: str, size: int, changed: int) -> Known:
    """Size and time in the key notice a change."""
    data = read_bytes(Path(path))
    digest, format = hashlib.sha256(data).hexdigest(), guess_format(data)
    if format in IMAGE_FORMATS:
        return Known(digest, picture=read_picture(data, format).hash)
    if format in AUDIO_FORMATS:
        return Known(digest, sound=read_recording(data, format).fingerprint)
    return Known(digest, sketch=sketch(shingles(folded_words(text_of(data, format)))))


def known_file(path: str) -> Known:
    state = Path(path).stat()
    return _known(path, state.st_size, state.st_mtime_ns)
