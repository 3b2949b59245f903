"""Maps SQLite's errors to the project's own, each with what to do about it.

They are distinguished by SQLite's messages, which have not changed in fifteen years. Only for I/O errors, whose message
does not say what failed, the extended result code is looked at, which Python has from 3.11 on.
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retrieval.errors import DamagedStoreError, IndexLockedError, StorageFullError, StoreError, StoreIOError
from retrieval.store.file_locks import lock_failure

# Below this much free space an I/O error means a full disk: SQLite cannot grow its shared-memory file (32 KiB) or its
# log.
_NO_ROOM = 256 * 1024

CANNOT_READ = "The files of the index cannot be read"

# For a garbled schema SQLite returns a message that is not valid UTF-8, which Python cannot decode.
SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)

# Extended result codes of SQLITE_IOERR, by what failed.
_READING = (266, 522, 1802, 3338, 7690)  # READ, SHORT_READ, FSTAT, ACCESS, MMAP
_WRITING = (778, 1034, 1290, 1546, 2570)  # WRITE, FSYNC, DIR_FSYNC, TRUNCATE, DELETE
_LOCKING = (2058, 2314, 3594, 3850, 5130)  # UNLOCK, RDLOCK, CHECKRESERVEDLOCK, LOCK, SHMLOCK
_MAPPING = (4618, 4874, 5386)  # SHMOPEN, SHMSIZE, SHMMAP


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
        why = error.strerror or str(error)
        raise StoreIOError(
            f"The index in {folder} cannot be read or written ({why}): look for a failing disk."
        ) from error


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
    if is_damage(error):
        # A read that fails in the middle of a tree looks the same: only a complete check tells.
        return DamagedStoreError(
            f"The index in {folder} cannot be read ({error}): the next use checks it, and builds it anew if it has to."
        )
    if "disk i/o error" in text:
        return StoreIOError(_io_message(folder, getattr(error, "sqlite_errorcode", None)))
    if "locked" in text or "busy" in text or "locking protocol" in text:
        return _lock_error(folder)
    return StoreError(f"The index in {folder} cannot be used: {error}.")


def _lock_error(folder: Path) -> StoreError:
    """Why a lock could not be had: somebody has it, or locks do not work here."""
    if (failure := lock_failure(folder)) is not None:
        return StorageFullError(cannot_lock(folder, failure))
    return IndexLockedError(f"Another process keeps the index in {folder} busy: try again when it is done.")


def is_damage(error: BaseException) -> bool:
    """Whether SQLite found the file to be something else than what was written."""
    text = str(error).lower()
    signs = (
        "malformed", "not a database", "no such table", "no such column", "corrupt", "unsupported file format",
        "could not decode", "already exists", "same text encoding", "no such fts5 table", "vtable constructor failed",
    )  # fmt: skip
    if isinstance(error, UnicodeDecodeError):
        return True
    return isinstance(error, sqlite3.DatabaseError) and any(sign in text for sign in signs)


def is_trouble(error: BaseException) -> bool:
    """Whether SQLite failed for what is around the file: a lock, a full disk, a read that failed."""
    text = str(error).lower()
    signs = (
        "locked", "busy", "locking protocol", "disk is full", "disk i/o error", "readonly", "out of memory", "interrupted",
    )  # fmt: skip
    return isinstance(error, sqlite3.Error) and any(sign in text for sign in signs)


def cannot_lock(folder: Path, reason: str) -> str:
    return (
        f"Files in {folder} cannot be locked ({reason}), so the index can be read and not be written: "
        "point C2LLM_CACHE_DIR at a folder on a local disk."
    )


def _io_message(folder: Path, code: int | None) -> str:
    """What failed, and what helps. A file that was cut off or replaced is found by the check that follows."""
    if code in _WRITING:
        why = "cannot be written: look for a limit on file sizes (ulimit -f), a quota, or a failing disk"
    elif code in _LOCKING:
        why = "cannot be locked: point C2LLM_CACHE_DIR at a folder on a local disk"
    elif code in _MAPPING:
        why = "cannot be shared in memory (mmap): point C2LLM_CACHE_DIR at a folder on a local disk"
    elif code in _READING:
        why = "cannot be read: look for a failing disk or a network share that went away"
    else:
        why = "cannot be read or written (disk I/O error): look for a limit, a quota, or a failing disk"
    return f"The index in {folder} {why}. What was indexed before is kept."


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
