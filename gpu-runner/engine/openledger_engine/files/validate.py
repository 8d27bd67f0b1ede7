"""`validate_file`: is a contribution what it claims to be, is it new, and what is it worth?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import EngineError, bad_params
from ..evidence.words import folded_words
from ..methods import Job, register
from ..settings import setting
from .audio import Recording, read_recording
from .extract import check_type, read_bytes, text_of
from .fingerprint import NEAR_SHARE, similarity
from .images import Picture, read_picture
from .known import Known, known_file
from .phash import BITS, NEAR_BITS, differing_bits
from .rejection import Rejected
from .score import text_score
from .sketch import NEAR_DUPLICATE_BPS, shingles, similarity_bps, sketch
from .sniff import FORMATS, IMAGE_FORMATS, TEXT_FORMATS

MIN_CHARACTERS = 200


@dataclass(frozen=True)
class KnownFile:
    contribution_id: str = setting("id of an accepted contribution")
    path: str = setting("where its file lies")


@dataclass(frozen=True)
class ValidateParams:
    path: str = setting("the file to judge")
    format: str = setting("what it claims to be", choices=FORMATS)
    max_bytes: int = setting("the datanet's limit for one file", low=1)
    known: tuple[KnownFile, ...] = setting("accepted files of the same datanet", default=())


def validate_file(params: ValidateParams, job: Job) -> dict[str, Any]:
    try:
        data = read_bytes(Path(params.path), params.max_bytes)
        if params.format in TEXT_FORMATS:
            return _judge_text(text_of(data, params.format), params, job)
        return _judge_media(data, params, job)
    except Rejected as rejection:
        return _refused(rejection, text="")


def _refused(rejection: Rejected, text: str, **more: Any) -> dict[str, Any]:
    return {
        "accepted": False,
        "reason": rejection.reason,
        "message": rejection.message,
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "characters": len(text),
    } | more


def _nearest(params: ValidateParams, job: Job, near: Callable[[Known], int]) -> tuple[int, str]:
    """(similarity in basis points, contribution) of the known file that is most alike; (0, "") when none is."""
    best = (0, "")
    for file in params.known:
        job.check()
        if (likeness := near(_known(file))) > best[0]:
            best = (likeness, file.contribution_id)
    return best


def _told(nearest: tuple[int, str]) -> dict[str, Any]:
    return {"nearest": {"contribution_id": nearest[1], "similarity_bps": nearest[0]}} if nearest[0] else {}


def _judge_text(text: str, params: ValidateParams, job: Job) -> dict[str, Any]:
    if len(text.strip()) < MIN_CHARACTERS:
        return _refused(Rejected("too_short", f"{len(text.strip())}"), text)
    words = folded_words(text)
    if not words:
        return _refused(Rejected("no_text"), text)
    hashes = shingles(words)
    mine = sketch(hashes)
    nearest = _nearest(params, job, lambda known: similarity_bps(mine, known.sketch) if known.sketch else 0)
    if nearest[0] >= NEAR_DUPLICATE_BPS:
        return _refused(Rejected("near_duplicate", f"contribution {nearest[1]}"), text, **_told(nearest))
    score = text_score(len(text), words, hashes, nearest[0])
    return _accepted(score, text) | {"tokens": len(words)} | _told(nearest)


def _judge_media(data: bytes, params: ValidateParams, job: Job) -> dict[str, Any]:
    """Pictures and recordings are decoded. A copy is one of the same bytes, or one that looks or sounds the same."""
    check_type(data, params.format)
    digest = hashlib.sha256(data).hexdigest()
    media: Picture | Recording
    if params.format in IMAGE_FORMATS:
        picture = media = read_picture(data, params.format)
        facts = {"width": picture.width, "height": picture.height}
        limit = (BITS - NEAR_BITS) * 10_000 // BITS

        def near(known: Known) -> int:
            return _bps(1 - differing_bits(picture.hash, known.picture) / BITS) if known.picture is not None else 0
    else:
        recording = media = read_recording(data, params.format)
        facts = {"milliseconds": recording.milliseconds, "hertz": recording.hertz, "channels": recording.channels}
        limit = _bps(NEAR_SHARE)

        def near(known: Known) -> int:
            return _bps(similarity(recording.fingerprint, known.sound)) if known.sound is not None else 0

    nearest = _nearest(params, job, lambda known: 10_000 if known.sha256 == digest else near(known))
    if nearest[0] >= limit:
        return _refused(Rejected("near_duplicate", f"contribution {nearest[1]}"), media.caption, **_told(nearest))
    return _accepted(media.score(), media.caption) | facts | _told(nearest)


def _bps(share: float) -> int:
    return int(share * 10_000)


def _accepted(score: int, text: str) -> dict[str, Any]:
    return {
        "accepted": True,
        "score": score,
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "characters": len(text),
    }


def _known(file: KnownFile) -> Known:
    """A known file that can't be read must not let its copies through: it is the caller's error."""
    try:
        return known_file(file.path)
    except (OSError, EngineError) as error:
        raise bad_params("known", f"contribution {file.contribution_id} can't be read: {error}") from error


register("validate_file", ValidateParams, "short", validate_file)
