"""The fingerprint of a model: a hash of everything that its vectors depend on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

READ_BYTES = 1 << 22
HUB_BLOBS = "blobs"  # where the hub's cache keeps files, each under the hash of its content


def fingerprint_of(files: Iterable[Path], *facts: str) -> str:
    """Hash the files' contents, in this order, and further facts that the vectors depend on."""
    digest = hashlib.blake2b(digest_size=16)
    for path in files:
        with path.open("rb") as file:
            while block := file.read(READ_BYTES):
                digest.update(block)
    for fact in facts:
        digest.update(fact.encode())
    return digest.hexdigest()


def content_names(files: Iterable[Path]) -> tuple[str, ...]:
    """The content hash of each large file. The hub's cache names files by their hash already; others are hashed in parallel
    (hashlib releases the GIL): 15 GB then take no longer than loading them."""
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        return tuple(pool.map(_content_name, files))


def _content_name(path: Path) -> str:
    real = path.resolve()
    if path.is_symlink() and real.parent.name == HUB_BLOBS:
        return real.name
    return fingerprint_of([path])
