"""Maps SQLite's errors to the project's own, each with what to do about it.

They are distinguished by SQLite's messages: Python 3.10 does not expose the result codes, and the messages have not
changed in fifteen years.
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retrieval.errors import DamagedStoreError, IndexLockedError, StorageFullError, StoreError

# Below this much free space an I/O error means a full disk: SQLite cannot grow its shared-memory file (32 KiB) or its
# log.
_NO_ROOM = 256 * 1024


# For a garbled schema SQLite returns a message that is not valid UTF-8, which Python cannot decode.
SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn what SQLite or the file system raises into a StoreError that says what was found and what to do."""
    try:
        yield
    except SQLITE_ERRORS as error:
        raise explain(error, folder) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM):
            raise StorageFullError(_cannot_write(folder, error.strerror or str(error))) from error
        raise StoreError(f"The index in {folder} cannot be used: {error}.") from error


def explain(error: Exception, folder: Path) -> StoreError:
    """The project's error for one of SQLite's."""
    text = str(error).lower()
    if "disk is full" in text or ("disk i/o error" in text and _free(folder) < _NO_ROOM):
        return StorageFullError(
            f"No room left on the disk of {folder}: free some space, or point C2LLM_CACHE_DIR at another disk. "
            "What was indexed before is kept."
        )
    if "readonly" in text or "unable to open" in text:
        return StorageFullError(_cannot_write(folder, str(error)))
    # A log that was cut off or replaced under us is an I/O error: opening again looks at every page and repairs.
    if is_damage(error) or "disk i/o error" in text:
        return DamagedStoreError(f"The index in {folder} is damaged ({error}): it is built anew at the next use.")
    if "locked" in text or "busy" in text:
        return IndexLockedError(f"Another process keeps the index in {folder} busy: try again when it is done.")
    return StoreError(f"The index in {folder} cannot be used: {error}.")


def is_damage(error: BaseException) -> bool:
    """Whether SQLite found the file to be something else than what was written."""
    text = str(error).lower()
    signs = (
        "malformed", "not a database", "no such table", "no such column", "corrupt", "unsupported file format",
        "could not decode",
    )  # fmt: skip
    if isinstance(error, UnicodeDecodeError):
        return True
    return isinstance(error, sqlite3.DatabaseError) and any(sign in text for sign in signs)


def _cannot_write(folder: Path, reason: str) -> str:
    return (
        f"The cache folder {folder} cannot be written ({reason}): make it writable, "
        "or point C2LLM_CACHE_DIR at another one."
    )


def _free(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return _NO_ROOM
