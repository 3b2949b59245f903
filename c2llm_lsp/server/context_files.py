"""Contexts as Markdown files, which editors without a plugin of ours open for the user to copy.

They hold the user's code: their folder is in the cache, readable by nobody else, and old ones are removed.
"""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from retrieval.errors import StoreError
from retrieval.private_files import private_cache, private_folder
from retrieval.store import cache_folder

KEPT_SECONDS = 24 * 3600.0
KEPT_FILES = 20


def save_context(text: str, cache: Path | None) -> Path:
    """Write a context to a new file. Raises StoreError."""
    folder = cache_folder(cache) / "contexts"
    try:
        private_cache(folder.parent)
        private_folder(folder)
        descriptor, name = tempfile.mkstemp(prefix=time.strftime("context-%H%M%S-"), suffix=".md", dir=folder)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="") as file:
            file.write(text)
    except OSError as error:
        raise StoreError(f"The context cannot be written to {folder} ({error.strerror}).") from error
    _clean(folder)
    return Path(name)


def _clean(folder: Path) -> None:
    """Remove expired files, and the oldest beyond the limit."""
    with suppress(OSError):
        files = sorted(((file.stat().st_mtime, file) for file in folder.glob("context-*.md")), reverse=True)
        for n, (written, file) in enumerate(files):
            if n >= KEPT_FILES or time.time() - written > KEPT_SECONDS:
                file.unlink()
