"""Checks whether the system has file watches left.

Needed because watchdog (7.1) silently skips folders that it could not watch: a partly watched tree would look fully
watched. A probe afterwards detects this: one more watch, in a separate inotify instance.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

_IN_DELETE_SELF = 0x400


def require_watches(root: Path) -> None:
    """Raise OSError if not one more watch is available. Does nothing without inotify."""
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


def _failure(message: str) -> OSError:
    code = ctypes.get_errno()
    return OSError(code, message if code in (errno.ENOSPC, errno.EMFILE) else os.strerror(code))
