"""Reads ignore files: `.gitignore`, `.c2llmignore`, and git's per-repository and per-user files.

Choices: the size is limited and only regular files are opened, so that an ignore file of 100 MB, a pipe or `/dev/zero`
costs nothing. A file that is applied only in part is reported among the skipped files.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from retrieval.globs import RuleSet

GIT_IGNORE = ".gitignore"
OWN_IGNORE = ".c2llmignore"
IGNORE_FILES = (GIT_IGNORE, OWN_IGNORE)
MAX_IGNORE_BYTES = 512 * 1024  # of an ignore file; the rest is not read
TRUNCATED = "ignore file too long: only its first rules apply"


def read_rules(path: Path, base: str = "", *, follow: bool = False) -> RuleSet | None:
    """The rules of one ignore file, None if there are none (missing, a link, unreadable, empty)."""
    data = read_start(path, MAX_IGNORE_BYTES, follow=follow)
    if data is None:
        return None
    complete = len(data) <= MAX_IGNORE_BYTES
    if not complete:
        data = data[: data.rfind(b"\n", 0, MAX_IGNORE_BYTES) + 1]  # a truncated pattern would mean something else
    rules = RuleSet(data.decode("utf-8-sig", "surrogateescape").split("\n"), base)
    rules.dropped |= not complete
    return rules or None


def read_start(path: Path, size: int, *, follow: bool = False) -> bytes | None:
    """The first bytes of a regular file, `size` + 1 if it is longer; None if it cannot be read."""
    try:
        if not follow and path.is_symlink():
            return None
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            return file.read(size + 1) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    except (OSError, ValueError):
        return None
