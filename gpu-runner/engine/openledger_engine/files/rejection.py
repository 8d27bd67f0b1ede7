"""Why a file is refused: a stable reason for machines, a sentence for the contributor."""

from __future__ import annotations

from ..errors import EngineError

REASONS = {
    "empty_file": "the file has no bytes",
    "too_large": "the file is over the size limit",
    "wrong_type": "the content is not of the claimed format",
    "not_text": "the file holds NUL bytes, so it is not text",
    "invalid_utf8": "the text is not valid UTF-8",
    "encrypted": "the document is encrypted",
    "malformed": "the file is damaged or not well-formed",
    "zip_bomb": "the document inflates beyond the limits",
    "no_text": "no text can be extracted",
    "too_short": "there are fewer than 200 characters of text",
    "near_duplicate": "the content is nearly the same as that of an accepted contribution",
}


class Rejected(EngineError):
    """Raised while a file is read. `validate_file` turns it into a verdict; elsewhere it is the error `bad_file`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        assert reason in REASONS, reason
        message = REASONS[reason] + (f" ({detail})" if detail else "")
        super().__init__("bad_file", message, {"reason": reason})
        self.reason = reason
