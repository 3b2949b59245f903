"""Reading ignore files: `.gitignore`, `.c2llmignore`, and those that git knows for a repository and a user.

Choices: what is read is limited, and only a regular file is opened, so that an ignore file of 100 MB, a pipe or
`/dev/zero` costs nothing. What of a file does not count is told with the files that are left out.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from retrieval.globs import RuleSet

GIT_IGNORE = ".gitignore"
OWN_IGNORE = ".c2llmignore"
IGNORE_FILES = (GIT_IGNORE, OWN_IGNORE)
MAX_IGNORE_BYTES = 512 * 1024  # of an ignore file; what comes after is not read
PARTLY_READ = "ignore file too long: only its first rules count"


def read_rules(path: Path, base: str = "", *, follow: bool = False) -> RuleSet | None:
    """The rules of one ignore file, None where there are none to apply (missing, a link, unreadable, empty)."""
    data = read_start(path, MAX_IGNORE_BYTES, follow=follow)
    if data is None:
        return None
    complete = len(data) <= MAX_IGNORE_BYTES
    if not complete:
        data = data[: data.rfind(b"\n", 0, MAX_IGNORE_BYTES) + 1]  # half a pattern would be another pattern
    rules = RuleSet(data.decode("utf-8-sig", "surrogateescape").split("\n"), base)
    rules.dropped |= not complete
    return rules or None


def read_start(path: Path, size: int, *, follow: bool = False) -> bytes | None:
    """The first bytes of a regular file, one more than `size` where there are more; None where it cannot be read."""
    try:
        if not follow and path.is_symlink():
            return None
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            return file.read(size + 1) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    except (OSError, ValueError):
        return None
