"""Pictures: decoded for real, under limits, and what they say about themselves.

Pillow decodes. It reads only the format that was claimed, and its own guard against bombs is set to our limit.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any

from .captions import clean, exif_caption, text_caption, xmp_caption
from .phash import picture_hash
from .rejection import Rejected

PILLOW_FORMATS = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "webp": "WEBP", "tiff": "TIFF", "bmp": "BMP"}
MAX_PIXELS = 64 * 1024 * 1024
MAX_FRAMES = 64
HASHED_SIDE = 512  # a picture is reduced to this before it is hashed
FULL_SCORE_PIXELS = 1024 * 1024


@dataclass(frozen=True)
class Picture:
    width: int
    height: int
    hash: int  # 64 bits
    caption: str

    def score(self) -> int:
        """1..10000 by the number of pixels, full at 1024 x 1024."""
        return max(1, min(10_000, self.width * self.height * 10_000 // FULL_SCORE_PIXELS))


def read_picture(data: bytes, format: str) -> Picture:
    """Raises Rejected. A picture of several frames is judged by its first."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            # A first, strict pass: checksums, and that nothing is cut off.
            with Image.open(io.BytesIO(data), formats=[PILLOW_FORMATS[format]]) as image:
                _check_size(image)
                image.verify()
            with Image.open(io.BytesIO(data), formats=[PILLOW_FORMATS[format]]) as image:
                image.load()
                grey = image.convert("L")
                grey.thumbnail((HASHED_SIDE, HASHED_SIDE))
                return Picture(*image.size, picture_hash(grey), _caption(image))
    except Rejected:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise Rejected("zip_bomb", str(error)) from error
    except Exception as error:  # Pillow's decoders raise many kinds on damaged files
        reason = "zip_bomb" if "too large" in str(error).lower() else "malformed"
        raise Rejected(reason, f"{type(error).__name__}: {error}"[:200]) from error


def _check_size(image: Any) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise Rejected("zip_bomb", f"{width} x {height} pixels, over {MAX_PIXELS}")
    if getattr(image, "n_frames", 1) > MAX_FRAMES:
        raise Rejected("zip_bomb", f"more than {MAX_FRAMES} frames")


def _caption(image: Any) -> str:
    """The first of: XMP's dc:description, EXIF's description, PNG's text, a JPEG comment."""
    return clean(xmp_caption(image.info) or exif_caption(image.getexif()) or text_caption(image.info))
