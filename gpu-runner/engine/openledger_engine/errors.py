"""One error type with a stable code; everything else that is raised becomes `internal`."""

from __future__ import annotations

from typing import Any

CODES = frozenset(
    {
        "bad_request", "unknown_method", "bad_params", "bad_file", "unknown_model", "unknown_adapter",
        "no_data", "overloaded", "cancelled", "out_of_memory", "internal",
    }
)


class EngineError(Exception):
    """An answer to the caller: a code of the protocol, a sentence for people, details for machines."""

    def __init__(self, code: str, message: str, details: dict[str, Any] | None = None) -> None:
        assert code in CODES, code
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details

    def frame(self) -> dict[str, Any]:
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        return body | ({"details": self.details} if self.details else {})


def bad_params(name: str, message: str, allowed: str | None = None) -> EngineError:
    details = {"name": name} | ({"range": allowed} if allowed else {})
    return EngineError("bad_params", f"{name}: {message}", details)


def as_engine_error(error: BaseException) -> EngineError:
    """Names what a library raised. The class is compared by name, so that torch need not be imported for it."""
    if isinstance(error, EngineError):
        return error
    # torch names the failure on a GPU by its class, and on a CPU only in words.
    refused = type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error)
    if isinstance(error, MemoryError) or refused:
        return EngineError("out_of_memory", "the device has not enough memory for this request")
    return EngineError("internal", f"{type(error).__name__}: {error}")
