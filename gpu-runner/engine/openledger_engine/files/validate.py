"""`validate_file`: is a contribution what it claims to be, is it new, and what is it worth?"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import EngineError, bad_params
from ..evidence.words import split_words
from ..methods import Job, register
from ..settings import setting
from .audio import audio_score
from .extract import check_type, read_bytes, text_of
from .images import Damaged, image_score
from .rejection import Rejected
from .score import text_score
from .sketch import NEAR_DUPLICATE_BPS, known_file, shingles, similarity_bps, sketch
from .sniff import AUDIO_FORMATS, FORMATS, TEXT_FORMATS

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
            return _judge_text(text_of(data, params.format), params.known, job)
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


def _judge_text(text: str, known: tuple[KnownFile, ...], job: Job) -> dict[str, Any]:
    if len(text.strip()) < MIN_CHARACTERS:
        return _refused(Rejected("too_short", f"{len(text.strip())}"), text)
    words = [word.text for word in split_words(text)]
    if not words:
        return _refused(Rejected("no_text"), text)
    hashes = shingles(words)
    mine = sketch(hashes)
    nearest_bps, nearest_id = 0, ""
    for file in known:
        job.check()
        other = _known(file)[1]
        if other is not None and (similarity := similarity_bps(mine, other)) > nearest_bps:
            nearest_bps, nearest_id = similarity, file.contribution_id
    nearest = {"nearest": {"contribution_id": nearest_id, "similarity_bps": nearest_bps}} if nearest_bps else {}
    if nearest_bps >= NEAR_DUPLICATE_BPS:
        return _refused(Rejected("near_duplicate", f"contribution {nearest_id}"), text, **nearest)
    return {
        "accepted": True,
        "score": text_score(len(text), words, hashes, nearest_bps),
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "characters": len(text),
        "tokens": len(words),
    } | nearest


def _judge_media(data: bytes, params: ValidateParams, job: Job) -> dict[str, Any]:
    """Pictures and recordings: consistent headers, and no other file of the same bytes."""
    check_type(data, params.format)
    try:
        score = (audio_score if params.format in AUDIO_FORMATS else image_score)(data, params.format)
    except (Damaged, struct.error, IndexError) as error:
        raise Rejected("malformed", str(error)) from error
    digest = hashlib.sha256(data).hexdigest()
    for file in params.known:
        job.check()
        if _known(file)[0] == digest:
            raise Rejected("near_duplicate", f"contribution {file.contribution_id}")
    return {"accepted": True, "score": score, "text_sha256": hashlib.sha256(b"").hexdigest(), "characters": 0}


def _known(file: KnownFile) -> tuple[str, frozenset[int] | None]:
    """A known file that can't be read must not let its copies through: it is the caller's error."""
    try:
        return known_file(file.path)
    except (OSError, EngineError) as error:
        raise bad_params("known", f"contribution {file.contribution_id} can't be read: {error}") from error


register("validate_file", ValidateParams, "short", validate_file)
