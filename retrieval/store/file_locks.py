"""Whether a folder's file system locks files, asked of a file without a name: SQLite waits as long for locks that fail as
for locks that somebody has, and cannot tell the two apart.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where locks are part of every file system
    fcntl = None  # type: ignore[assignment]


def lock_failure(folder: Path) -> str | None:
    """Why files in this folder cannot be locked; None where they can be, or where nothing can be written either.

    Nobody else knows the file, so a lock that is said to be taken is one that does not work. 25 microseconds.
    """
    if fcntl is None:
        return None
    try:
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
    except OSError:
        return None
    with file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.strerror or str(error)
    return None
