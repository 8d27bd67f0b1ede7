"""The Merkle root of a dataset version, as RFC 6962 builds its trees, over sha256. docs/training.md has it to the byte."""

from __future__ import annotations

import hashlib

from .rows import Row


def leaf(row: Row) -> bytes:
    """sha256 of 0x00, then contribution id, format and the hex sha256 of the row's text, joined by line feeds."""
    digest = hashlib.sha256(row.text.encode()).hexdigest()
    return hashlib.sha256(b"\0" + f"{row.contribution_id}\n{row.format}\n{digest}".encode()).digest()


def merkle_root(leaves: list[bytes]) -> bytes:
    """The left half is the largest power of two below the number of leaves; a node is sha256 of 0x01, left, right."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + merkle_root(leaves[:middle]) + merkle_root(leaves[middle:])).digest()


def dataset_root(rows: list[Row]) -> str:
    return merkle_root([leaf(row) for row in rows]).hex()
