"""Folders of weights: safetensors only, hashed, and never unpickled."""

from __future__ import annotations

import functools
import hashlib
import json
import math
from pathlib import Path
from typing import Any

from ..errors import EngineError

MAX_HEADER = 100_000_000


def _refuse(message: str) -> EngineError:
    return EngineError("bad_file", message, {"reason": "not_safetensors"})


def check_safetensors(path: Path) -> None:
    """A safetensors file begins with the length of a JSON header; a pickle or a zip archive does not."""
    with path.open("rb") as stream:
        head = stream.read(9)
    length = int.from_bytes(head[:8], "little")
    if len(head) < 9 or head[:2] == b"PK" or head[0] == 0x80 and length > MAX_HEADER or head[8:9] != b"{":
        raise _refuse(f"{path.name} is not a safetensors file")
    if length > min(MAX_HEADER, path.stat().st_size - 8):
        raise _refuse(f"{path.name} is damaged: its header is longer than the file")


PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")


def is_pickle(path: Path) -> bool:
    """By magic: a pickle of protocol 2 or later, or the zip archive that torch puts one in."""
    with path.open("rb") as stream:
        head = stream.read(4)
    return head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5") or head == b"PK\3\4"


def refuse_pickles(folder: Path) -> None:
    """Refuses a folder with a pickle under any name, though nothing here would read it: some other program might."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix != ".safetensors" and is_pickle(path):
            raise _refuse(f"{path.name} is a pickle or an archive, which can run code")


def weight_files(folder: Path, stem: str) -> list[Path]:
    """`stem`.safetensors, or its shards in the order of their names. Other formats are refused, not converted."""
    single = folder / f"{stem}.safetensors"
    files = [single] if single.exists() else sorted(folder.glob(f"{stem}-*-of-*.safetensors"))
    if not files:
        pickles = [p.name for p in folder.iterdir() if p.suffix in PICKLES]
        raise _refuse(f"no {single.name}" + (f"; {pickles[0]} is a pickle, which can run code" if pickles else ""))
    for file in files:
        check_safetensors(file)
    return files


def count_parameters(folder: Path, stem: str) -> int:
    """Numbers in all tensors, from the headers alone. Tied weights are stored, so counted, once."""
    count = 0
    for file in weight_files(folder, stem):
        with file.open("rb") as stream:
            header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
        count += sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
    return count


@functools.lru_cache(maxsize=256)
def _sha256(path: str, size: int, changed: int) -> str:
    with open(path, "rb") as stream:
        digest = hashlib.sha256()
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
        return digest.hexdigest()


def sha256_file(path: Path) -> str:
    """Hash of a file; remembered until its size or time changes, because weights are large."""
    state = path.stat()
    return _sha256(str(path), state.st_size, state.st_mtime_ns)


def weights_sha256(folder: Path, stem: str) -> str:
    """The file's sha256; of a sharded model the sha256 of its shards' hashes in hex, joined by line feeds."""
    hashes = [sha256_file(file) for file in weight_files(folder, stem)]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def canonical_json(value: Any) -> bytes:
    """Sorted keys, no spaces, UTF-8: equal values give equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
