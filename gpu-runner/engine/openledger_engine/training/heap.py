"""Gives the memory of finished tensors back to the system while a run lasts."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator

M_MMAP_THRESHOLD = -3  # malloc.h
RETURNED_FROM = 1 << 20
USUAL = 32 << 20  # where glibc's own adjustment ends up once large blocks were freed


@contextlib.contextmanager
def returning_memory() -> Iterator[None]:
    """glibc keeps freed blocks of up to 32 MiB for later. A training step's tensors are of that size and of many lengths,
    so half of the process would be gaps. From 1 MiB on they are mapped and unmapped. Elsewhere than on glibc: nothing."""
    try:
        library = ctypes.CDLL(None)
        mallopt, trim = library.mallopt, library.malloc_trim
    except (AttributeError, OSError, TypeError):
        yield
        return
    mallopt(M_MMAP_THRESHOLD, RETURNED_FROM)
    try:
        yield
    finally:
        mallopt(M_MMAP_THRESHOLD, USUAL)
        trim(0)
