"""Gives the memory that a run took back to the system at its end."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator


@contextlib.contextmanager
def returning_memory() -> Iterator[None]:
    """glibc keeps freed blocks for later: during a run that spares mapping every tensor anew, a third of a step's time;
    after it nobody wants them. Elsewhere than on glibc: nothing."""
    try:
        yield
    finally:
        with contextlib.suppress(AttributeError, OSError, TypeError):
            ctypes.CDLL(None).malloc_trim(0)
