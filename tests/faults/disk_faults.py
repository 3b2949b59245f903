"""Disks that fail: a library that makes system calls of a process fail, compiled where there is a C compiler.

A child process is started with `preload(folder)` in its environment, and calls `fail` and `work` itself; or it is given the
faults with the environment, by `preload(folder, Fault("read", errno.EIO, "vectors.db"))`.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_SOURCE = Path(__file__).with_suffix(".c")


@dataclass(frozen=True, slots=True)
class Fault:
    """Calls (read, write, lock, flock, mmap, fsync) on files whose path contains `path`, or whose inode is `#number`, fail, after
    `skip` that succeed, `count` times (-1: always); of reads only those that touch `span`, if there is one.
    """

    call: str
    error: int
    path: str
    skip: int = 0
    count: int = -1
    span: tuple[int, int] = (0, 0)


def preload(folder: Path, *faults: Fault) -> dict[str, str]:
    """What the environment of a process has that may have these faults."""
    return {"LD_PRELOAD": str(library(folder)), "C2LLM_DISK_FAULTS": _rules(faults)}


@contextmanager
def failing(*faults: Fault) -> Iterator[None]:
    """The disk of this process, which was started with `preload`, has these faults in the meantime."""
    set_faults = ctypes.CDLL(None).disk_faults
    set_faults(_rules(faults).encode())
    try:
        yield
    finally:
        set_faults(b"")


def library(folder: Path) -> Path:
    """The compiled library, in this folder."""
    if sys.platform != "linux" or shutil.which("cc") is None:
        pytest.skip("needs Linux and a C compiler")
    compiled = folder / "disk_faults.so"
    if not compiled.exists():
        command = ["cc", "-O1", "-shared", "-fPIC", "-o", str(compiled), str(_SOURCE), "-ldl"]
        built = subprocess.run(command, capture_output=True, text=True, check=False)
        if built.returncode:
            pytest.skip(f"the compiler fails: {built.stderr[:200]}")
    return compiled


def _rules(faults: tuple[Fault, ...]) -> str:
    return ",".join(f"{f.call}:{f.error}:{f.path}:{f.skip}:{f.count}:{f.span[0]}:{f.span[1]}" for f in faults)
