"""Whether the system has file watches left to give.

Needed because watchdog (7.1) passes over folders it could not watch: a tree that is watched in part would be reported
as watched. A probe after the fact tells: one more watch, in an inotify instance of its own.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

_IN_DELETE_SELF = 0x400


def require_watches(root: Path) -> None:
    """Raise OSError where not even one more watch can be had. Does nothing where there is no inotify."""
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "inotify_init1"):
        return
    descriptor = libc.inotify_init1(os.O_CLOEXEC)
    if descriptor < 0:
        raise _failure("inotify instance limit reached")
    try:
        if libc.inotify_add_watch(descriptor, os.fsencode(root), _IN_DELETE_SELF) < 0:
            raise _failure("inotify watch limit reached")
    finally:
        os.close(descriptor)


def _failure(what: str) -> OSError:
    code = ctypes.get_errno()
    return OSError(code, what if code in (errno.ENOSPC, errno.EMFILE) else os.strerror(code))
