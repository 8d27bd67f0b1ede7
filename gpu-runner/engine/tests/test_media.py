from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image, ImageDraw, ImageEnhance
from PIL.PngImagePlugin import PngInfo
from test_validate import judge, write

from openledger_engine.files.extract import read_text
from openledger_engine.training.rows import TrainFile, read_rows

CAPTION = "The panel crew washes the lower row of panels on a cloudy morning, from the ladder side."
HERTZ = 16_000


def picture(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Shapes and shades by a seed: what a photograph has for a hash."""
    chance = np.random.default_rng(seed)
    image = Image.fromarray(chance.integers(0, 255, (6, 8, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y, w, h = (int(v) for v in chance.integers(0, (size[0], size[1], size[0] // 3, size[1] // 3)))
        draw.ellipse((x, y, x + w, y + h), fill=tuple(int(v) for v in chance.integers(0, 255, 3)))
    return image


def saved(image: Image.Image, format: str, **how: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, {"jpg": "JPEG"}.get(format, format.upper()), **how)
    return buffer.getvalue()


def melody(seed: int, seconds: float = 6.0) -> Any:
    """Tones with overtones that change four times a second, and a little noise."""
    chance = np.random.default_rng(seed)
    time = np.arange(int(HERTZ / 4)) / HERTZ
    parts = []
    for _ in range(int(seconds * 4)):
        tones = chance.uniform(200, 1800, 4)
        parts.append(sum(np.sin(2 * np.pi * tone * time) * chance.uniform(0.2, 1) for tone in tones))
    sound = np.concatenate(parts)
    return (0.15 * sound + 0.005 * chance.standard_normal(len(sound))).astype(np.float32)


def coded(samples: Any, format: str, hertz: int = HERTZ, **tags: str) -> bytes:
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", hertz, 1, format=format.upper()) as sound:
        for name, text in tags.items():
            setattr(sound, name, text)
        sound.write(samples)
    return buffer.getvalue()


@pytest.mark.parametrize("format", ["png", "jpg", "webp", "tiff", "bmp"])
def test_pictures_are_decoded_and_scored_by_size(format: str, tmp_path: Path) -> None:
    verdict = judge(write(tmp_path, "p", saved(picture(1), format)), format)
    assert verdict["accepted"] and verdict["score"] == 320 * 240 * 10_000 // (1 << 20)
    assert (verdict["width"], verdict["height"]) == (320, 240) and verdict["characters"] == 0
    assert judge(tmp_path / "p", "txt")["reason"] == "wrong_type"


@pytest.mark.parametrize("format", ["wav", "flac", "mp3"])
def test_recordings_are_decoded_and_scored_by_duration(format: str, tmp_path: Path) -> None:
    verdict = judge(write(tmp_path, "s", coded(melody(1), format)), format)
    assert verdict["accepted"] and verdict["score"] == pytest.approx(1000, abs=20)
    assert verdict["milliseconds"] == pytest.approx(6000, abs=120) and verdict["hertz"] == HERTZ


def test_reworked_copies_of_a_picture_are_found(tmp_path: Path) -> None:
    known = write(tmp_path, "known", saved(picture(1), "png"))
    copies = {
        "jpg": saved(picture(1), "jpg", quality=40),
        "webp": saved(picture(1).resize((150, 110)), "webp"),
        "bmp": saved(ImageEnhance.Brightness(picture(1)).enhance(1.2), "bmp"),
        "png": saved(picture(1).convert("L"), "png"),
    }
    for format, data in copies.items():
        verdict = judge(write(tmp_path, f"copy.{format}", data), format, ("7", known))
        assert verdict.get("reason") == "near_duplicate", (format, verdict)
        assert verdict["nearest"]["contribution_id"] == "7" and verdict["nearest"]["similarity_bps"] >= 8750


def test_other_pictures_are_not_taken_for_copies(tmp_path: Path) -> None:
    known = [(str(seed), write(tmp_path, f"known{seed}", saved(picture(seed), "png"))) for seed in range(2, 22)]
    verdict = judge(write(tmp_path, "new", saved(picture(1), "jpg")), "jpg", *known)
    assert verdict["accepted"] and verdict["nearest"]["similarity_bps"] < 8750


def test_reworked_copies_of_a_recording_are_found(tmp_path: Path) -> None:
    sound = melody(1)
    known = write(tmp_path, "known", coded(sound, "wav"))
    copies = {
        "flac": coded(0.3 * sound, "flac"),
        "mp3": coded(sound, "mp3"),
        "wav": coded(np.concatenate([np.zeros(4000, np.float32), sound[: len(sound) - 4000]]), "wav"),
    }
    for format, data in copies.items():
        verdict = judge(write(tmp_path, f"copy.{format}", data), format, ("7", known))
        assert verdict.get("reason") == "near_duplicate", (format, verdict)
    faster = write(tmp_path, "hertz", coded(np.interp(np.arange(0, len(sound), 16 / 22.05), np.arange(len(sound)), sound), "wav", 22_050))
    assert judge(faster, "wav", ("7", known))["reason"] == "near_duplicate"


def test_other_recordings_are_not_taken_for_copies(tmp_path: Path) -> None:
    known = [(str(seed), write(tmp_path, f"known{seed}", coded(melody(seed), "wav"))) for seed in range(2, 8)]
    verdict = judge(write(tmp_path, "new", coded(melody(1), "flac")), "flac", *known)
    assert verdict["accepted"] and verdict["nearest"]["similarity_bps"] < 6500


def with_text() -> dict[str, bytes]:
    text = PngInfo()
    text.add_itxt("Description", CAPTION)
    exif = Image.Exif()
    exif[270] = CAPTION
    xmp = f'<x><dc:description><rdf:Alt><rdf:li xml:lang="x-default">{CAPTION}</rdf:li></rdf:Alt></dc:description></x>'
    return {
        "png": saved(picture(1), "png", pnginfo=text), "jpg": saved(picture(1), "jpg", exif=exif),
        "webp": saved(picture(1), "webp", xmp=xmp.encode()), "tiff": saved(picture(1), "tiff", tiffinfo={270: CAPTION}),
        "wav": coded(melody(1), "wav", comment=CAPTION), "flac": coded(melody(1), "flac", comment=CAPTION),
        "mp3": coded(melody(1), "mp3", comment=CAPTION),
    }


@pytest.mark.parametrize("format", ["png", "jpg", "webp", "tiff", "wav", "flac", "mp3"])
def test_the_text_inside_becomes_a_row_of_its_contribution(format: str, tmp_path: Path) -> None:
    path = write(tmp_path, "media", with_text()[format])
    assert read_text(path, format) == CAPTION
    assert judge(path, format)["characters"] == len(CAPTION)
    [row] = read_rows([TrainFile("42", str(path), format)], 0)
    assert (row.contribution_id, row.format, row.text, row.part) == ("42", format, CAPTION, "train")


def test_captions_are_bounded(tmp_path: Path) -> None:
    text = PngInfo()
    text.add_text("Description", "word \x01" * 50_000)
    path = write(tmp_path, "long", saved(picture(1), "png", pnginfo=text))
    assert len(read_text(path, "png")) <= 20_000 and "\x01" not in read_text(path, "png")


def huge_png() -> bytes:
    """A true PNG of 400 million equal pixels in 50 kB."""
    buffer = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(buffer, "PNG")
    return buffer.getvalue()


REFUSED = {
    "picture bomb": (huge_png, "png", "zip_bomb"),
    "cut jpg": (lambda: saved(picture(1), "jpg")[:-3000], "jpg", "malformed"),
    "cut png": (lambda: saved(picture(1), "png")[:-3000], "png", "malformed"),
    "cut webp": (lambda: saved(picture(1), "webp")[:-2000], "webp", "malformed"),
    "cut bmp": (lambda: saved(picture(1), "bmp")[:-2000], "bmp", "malformed"),
    "cut tiff": (lambda: saved(picture(1), "tiff")[:-2000], "tiff", "malformed"),
    "png of a wrong checksum": (lambda: _spoilt(saved(picture(1), "png")), "png", "malformed"),
    "png named jpg": (lambda: saved(picture(1), "png"), "jpg", "wrong_type"),
    "cut wav": (lambda: coded(melody(1), "wav")[:-500], "wav", "malformed"),
    "cut flac": (lambda: coded(melody(1), "flac")[:-9000], "flac", "malformed"),
    "flac of noise": (lambda: coded(melody(1), "flac")[:60] + bytes(5000), "flac", "malformed"),
    "wav without samples": (lambda: coded(np.zeros(0, np.float32), "wav"), "wav", "malformed"),
}


def _spoilt(data: bytes) -> bytes:
    return data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]


@pytest.mark.parametrize("case", REFUSED)
def test_damaged_media_are_refused_with_a_reason(case: str, tmp_path: Path) -> None:
    make, format, reason = REFUSED[case]
    verdict = judge(write(tmp_path, "file", make()), format)
    assert (verdict["accepted"], verdict["reason"]) == (False, reason), verdict["message"]
