"""Reads the names in git's index: which files are tracked, although an ignore rule matches them.

Choices: read in-process instead of by `git ls-files`: 50,000 names take some 30 ms, once for each new index, without starting a
program in an untrusted folder. Versions 2 to 4, SHA-1 and SHA-256, and the shared part of a split index are supported; of a
split index, names that it took off the shared part still count as tracked. Size, number and length of the names are
limited; of a damaged index the names before the damage count.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from retrieval.files.ignore import read_start

MAX_INDEX_BYTES = 64 * 1024 * 1024  # about 600,000 files
MAX_NAME_BYTES = 4096
MAX_NAMES_BYTES = 64 * 1024 * 1024  # of all names: version 4 stores what a name shares with the one before only once
_STAT_BYTES = 40
_EXTENDED = 0x40  # in the high byte of the flags
_SUBMODULE = 0o160000


class TrackedFiles:
    """The paths in an index, relative to the top of its work tree."""

    __slots__ = ("_names", "_submodules")

    def __init__(self, names: list[bytes], submodules: frozenset[bytes] = frozenset()) -> None:
        self._names, self._submodules = sorted(names), submodules

    def __len__(self) -> int:
        return len(self._names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TrackedFiles) and self._names == other._names

    __hash__ = None  # type: ignore[assignment]

    def has_file(self, path: str) -> bool:
        name = os.fsencode(path)
        at = bisect_left(self._names, name)
        return at < len(self._names) and self._names[at] == name

    def has_folder(self, path: str) -> bool:
        """Whether a submodule is at this path, or a tracked file is below it."""
        prefix = os.fsencode(path) + b"/"
        at = bisect_left(self._names, prefix)
        return (at < len(self._names) and self._names[at].startswith(prefix)) or prefix[:-1] in self._submodules


NO_FILES = TrackedFiles([])


class IndexEntry(NamedTuple):
    """What git knows of a tracked file: when it was last the same as its object, and that object's name."""

    seconds: int
    nanoseconds: int  # 0 where git was built without them
    size: int  # modulo 2**32
    object_name: bytes
    is_submodule: bool

    def is_unchanged(self, size: int, mtime_ns: int) -> bool:
        """Whether a file of this size and time is surely what it was. Of times at the same tick git itself is not sure."""
        seconds, nanoseconds = divmod(mtime_ns, 10**9)
        return (self.size, self.seconds) == (size % 2**32, seconds % 2**32) and self.nanoseconds in (0, nanoseconds)


# What is done with an entry: its name, the index and where the entry begins in it.
_Take = Callable[[bytes, bytes, int], None]


def read_tracked(index: Path, hash_bytes: int = 20) -> TrackedFiles:
    """What an index file tracks; nothing if it cannot be read. `hash_bytes`: of the repository's object names."""
    names: list[bytes] = []
    submodules: set[bytes] = set()

    def take(name: bytes, data: bytes, start: int) -> None:
        names.append(name)
        if _is_submodule(data, start):
            submodules.add(name)

    _read_index(index, hash_bytes, take)
    return TrackedFiles(names, frozenset(submodules)) if names else NO_FILES


def read_entries(index: Path, hash_bytes: int = 20) -> dict[bytes, IndexEntry]:
    """What an index file knows of each tracked file; nothing if it cannot be read. Of a split index, what it says of a file
    that it took over from the shared part is what was said there.
    """
    entries: dict[bytes, IndexEntry] = {}

    def take(name: bytes, data: bytes, start: int) -> None:
        at = start + _STAT_BYTES
        entries.setdefault(name, IndexEntry(
            int.from_bytes(data[start + 8 : start + 12], "big"), int.from_bytes(data[start + 12 : start + 16], "big"),
            int.from_bytes(data[at - 4 : at], "big"), data[at : at + hash_bytes], _is_submodule(data, start),
        ))  # fmt: skip

    _read_index(index, hash_bytes, take)
    return entries


def _is_submodule(data: bytes, start: int) -> bool:
    return int.from_bytes(data[start + 24 : start + 28], "big") == _SUBMODULE


def _read_index(index: Path, hash_bytes: int, take: _Take) -> None:
    shared = _read_entries(index, hash_bytes, take)
    if shared:
        _read_entries(index.parent / f"sharedindex.{shared}", hash_bytes, take)


def _read_entries(index: Path, hash_bytes: int, take: _Take) -> str:
    """Hand over the entries of one file; return the name of the shared index that it completes, "" without one."""
    data = read_start(index, MAX_INDEX_BYTES)
    if data is None or data[:4] != b"DIRC":
        return ""
    version, count = int.from_bytes(data[4:8], "big"), int.from_bytes(data[8:12], "big")
    if version not in (2, 3, 4):
        return ""
    at, room, name = 12, MAX_NAMES_BYTES, b""
    fixed = _STAT_BYTES + hash_bytes + 2
    for _ in range(count):
        start, at = at, at + fixed
        if at > len(data):
            return ""
        extended = data[at - 2] & _EXTENDED and version > 2
        length = (data[at - 2] << 8 | data[at - 1]) & 0xFFF
        at += 2 if extended else 0
        if version == 4:
            strip, at = _varint(data, at)
            end = data.find(b"\0", at, at + MAX_NAME_BYTES + 1)
            name = name[: max(len(name) - strip, 0)] + data[at:end]
            after = end + 1
        else:
            end = at + length if length < 0xFFF else data.find(b"\0", at, at + MAX_NAME_BYTES + 1)
            name = data[at:end]
            after = start + (end - start + 8) // 8 * 8
        room -= len(name)
        if end < at or len(name) > MAX_NAME_BYTES or room < 0:
            return ""
        at = after
        if name:  # without a name, an entry replaces one of the shared index
            take(name, data, start)
    return _shared_index(data, at, hash_bytes)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number in git's offset encoding, and the position after it."""
    value = -1
    for place in range(at, min(at + 8, len(data))):
        value = (value + 1) << 7 | (data[place] & 0x7F)
        if not data[place] & 0x80:
            return value, place + 1
    return 0, len(data)


def _shared_index(data: bytes, at: int, hash_bytes: int) -> str:
    """From the extension "link"."""
    while at + 8 + hash_bytes <= len(data):
        signature, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "big")
        if signature == b"link":
            return data[at + 8 : at + 8 + hash_bytes].hex() if size >= hash_bytes else ""
        at += 8 + size
    return ""
