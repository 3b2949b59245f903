"""One writer a workspace. The system frees the lock when its holder dies, whatever kills it, and the next to ask takes
over.

The lock is held for one run, not for a process's life: of several editors on one workspace whoever sees a change first
indexes it, and the others find it done. Who holds it stands in a file beside it, because taking a lock empties the
lock's own file.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from retrieval.errors import IndexLockedError, StorageFullError
from retrieval.private_files import FILE_MODE, write_private
from retrieval.store import cannot_lock

LOCK_FILE = "writer.lock"
_PID_FILE = "writer.pid"
# What opening the lock file fails with; anything else comes from the lock.
_UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOENT, errno.ENOTDIR)


@contextmanager
def writer_lock(folder: Path, *, wait: float = 0.0) -> Iterator[bool]:
    """Hold the workspace's lock; gives whether the last one who held it died. Raises IndexLockedError if another process
    still has it after `wait` seconds.
    """
    lock = FileLock(folder / LOCK_FILE, timeout=wait, mode=FILE_MODE)
    try:
        lock.acquire()
    except Timeout:
        pid = writer_pid(folder)
        who = f"Process {pid}" if pid else "Another process"
        raise IndexLockedError(f"{who} is indexing this workspace: its results appear as they are ready.") from None
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        if getattr(error, "errno", errno.ENOSYS) not in _UNWRITABLE:
            raise StorageFullError(cannot_lock(folder, reason)) from error
        raise StorageFullError(
            f"The cache folder {folder} cannot be written ({reason}): make it writable, "
            "or point C2LLM_CACHE_DIR at another one."
        ) from error
    pid_file = folder / _PID_FILE
    died = pid_file.exists()  # whoever ends in peace removes it
    try:
        with suppress(OSError):  # only a remark for others
            write_private(pid_file, str(os.getpid()))
        yield died
    finally:
        with suppress(OSError):
            pid_file.unlink()
        lock.release()


def writer_pid(folder: Path) -> int:
    """The process that writes now, 0 where none does or it is not known."""
    try:
        pid = int((folder / _PID_FILE).read_text())
    except (OSError, ValueError):
        return 0
    return pid if _alive(pid) else 0


def _alive(pid: int) -> bool:
    if pid <= 0:
        return False
    if os.name == "nt":
        return True  # os.kill would end it; the file is removed by whoever wrote it, save after a crash
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it is there and belongs to somebody else
    return True
