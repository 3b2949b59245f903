"""Small files of others, read whole: a device, a pipe or a sparse terabyte in place of a configuration costs nothing."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def read_bounded(path: Path, most: int) -> bytes:
    """The content of a regular file of at most `most` bytes. Raises OSError for anything else."""
    descriptor = os.open(path, _FLAGS)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"larger than {most:,} bytes", str(path))
    return content


def read_json(path: Path, most: int) -> Any:
    """The value in such a file. Raises OSError, and ValueError for what is not JSON or nested too deep."""
    import json  # the settings, which every command reads, are in another format

    try:
        return json.loads(read_bounded(path, most).decode("utf-8"))
    except RecursionError:
        raise ValueError("nested too deep") from None
