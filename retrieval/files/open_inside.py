"""Opens a file of the workspace so that no link leads out of it, also where someone swaps a folder for a link meanwhile.

Each folder on the way is opened relative to the one before it, without following links (O_NOFOLLOW): a folder that becomes
a link is not entered, and one that was entered stays the same whatever its path becomes. Systems without such opens
(Windows) check the path before and after, and that the file at its end is the one that was opened.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path

_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_FILE = os.O_RDONLY | _NOFOLLOW | _CLOEXEC | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_PATH", 0) | _CLOEXEC
RELATIVE = bool(os.open in os.supports_dir_fd and _NOFOLLOW and hasattr(os, "O_DIRECTORY"))
_JUNCTION = 0xA0000003  # IO_REPARSE_TAG_MOUNT_POINT: anyone can make one, and it is no link to `lstat`


def open_inside(root: Path, parts: Sequence[str]) -> int:
    """The descriptor of a file below `root`, which must be resolved. Raises OSError, with ELOOP for a link on the way."""
    try:
        return _open_relative(root, parts) if RELATIVE else _open_checked(root, parts)
    except NotADirectoryError:  # what some systems say of a link in place of a folder
        if crosses_link(root, parts[:-1]):
            raise _link() from None
        raise


def crosses_link(root: Path, parts: Sequence[str]) -> bool:
    """Whether one of the parts is a link."""
    current = os.fspath(root)
    for part in parts:
        current = f"{current}/{part}"
        if is_link(os.lstat(current)):
            return True
    return False


def is_link(status: os.stat_result) -> bool:
    """Whether this is a symbolic link, or a junction of Windows."""
    return stat.S_ISLNK(status.st_mode) or getattr(status, "st_reparse_tag", 0) == _JUNCTION


def _open_relative(root: Path, parts: Sequence[str]) -> int:
    folder = os.open(root, _FOLDER)
    try:
        for part in parts[:-1]:
            inner = os.open(part, _FOLDER | _NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(parts[-1], _FILE, dir_fd=folder)
    finally:
        os.close(folder)


def _open_checked(root: Path, parts: Sequence[str]) -> int:
    if crosses_link(root, parts):
        raise _link()
    path = os.fspath(root.joinpath(*parts))
    descriptor = os.open(path, _FILE)
    try:
        if crosses_link(root, parts) or not os.path.samestat(os.fstat(descriptor), os.lstat(path)):
            raise _link()
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _link() -> OSError:
    return OSError(errno.ELOOP, os.strerror(errno.ELOOP))
