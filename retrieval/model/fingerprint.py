"""One hash for the files of a model: whatever changes a vector changes it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PIECE = 1 << 22  # bytes read at once
HUB_BLOBS = "blobs"  # where the hub's cache keeps files, each under the hash of its content


def fingerprint_of(files: Iterable[Path], *facts: str) -> str:
    """Of the files' contents in this order, and of what else decides the vectors."""
    digest = hashlib.blake2b(digest_size=16)
    for path in files:
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                digest.update(piece)
    for fact in facts:
        digest.update(fact.encode())
    return digest.hexdigest()


def content_names(files: Iterable[Path]) -> tuple[str, ...]:
    """A name for the content of each large file. In the hub's cache a file is named by its content already; others are read,
    several at once (hashing lets other threads run): 15 GB then take no longer than loading them."""
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        return tuple(pool.map(_content_name, files))


def _content_name(path: Path) -> str:
    real = path.resolve()
    if path.is_symlink() and real.parent.name == HUB_BLOBS:
        return real.name
    return fingerprint_of([path])
