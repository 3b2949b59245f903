"""Small files of others, read whole: a device, a pipe or a sparse terabyte in place of a configuration costs nothing."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from pathlib import Path
from typing import Any

MAX_KEY_PARTS = 50
_LONG_KEY = re.compile(
    r"""(?<![\w-])(?:(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){50}"""  # MAX_KEY_PARTS
)
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


def parse_toml(text: str) -> dict[str, Any]:
    """The table of a text. Raises ValueError for what is not TOML or nested too deep.

    The parser's time and memory grow with the square of a key's parts: 32 KB of `a.a.a` take 1 GB.
    """
    from importlib import import_module

    if _LONG_KEY.search(text):
        raise ValueError(f"a key of more than {MAX_KEY_PARTS} parts")
    try:
        return dict(import_module("tomllib" if sys.version_info >= (3, 11) else "tomli").loads(text))
    except RecursionError:
        raise ValueError("nested too deep") from None
