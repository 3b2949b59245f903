"""Which files differ from the last commit: edited, added to git's index, or new.

Choices: `git status` is not asked, because it runs the filters that a repository's configuration names. The index is read
here; a file whose size or time is not what the index says is compared by its content, and counts as changed where a filter or
an encoding of git would have to say more. What is staged is asked of git without the work tree, which starts nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from retrieval.files.git_index import IndexEntry, read_entries
from retrieval.files.open_inside import open_inside
from retrieval.files.repository import Repository, find_repository
from retrieval.processes.git import staged_names

SECONDS = 5.0  # for git to say what is staged
MAX_COMPARED = 16 * 1024 * 1024  # bytes of a file
_HASHES = {20: "sha1", 32: "sha256"}

# Path, size and time of change in nanoseconds.
FileTime = tuple[str, int, int]


class ChangedFiles:
    """Answers again without work while neither the files nor the repository have changed. Any thread."""

    def __init__(self, root: Path) -> None:
        """`root` is resolved."""
        self._root = root
        self._last: tuple[object, frozenset[str]] | None = None

    def among(self, files: Iterable[FileTime], revision: object) -> frozenset[str] | None:
        """Those of some files that differ from the last commit; None without a repository. `revision` changes with the files."""
        repository = find_repository(self._root)
        if repository is None:
            return None
        state = (revision, *(_stamp(file) for file in _state_files(repository)))
        if (last := self._last) is not None and last[0] == state:
            return last[1]
        changed = frozenset(_changed(self._root, repository, files))
        self._last = state, changed
        return changed


def _state_files(repository: Repository) -> tuple[Path, ...]:
    """What git writes when the index or the commit changes."""
    own = repository.own_directory
    return own / "index", own / "HEAD", own / "logs" / "HEAD"


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ino


def _changed(root: Path, repository: Repository, files: Iterable[FileTime]) -> Iterable[str]:
    length = repository.name_bytes()
    entries = read_entries(repository.index, length)
    staged = staged_names(repository.top, seconds=SECONDS)
    inside = root.relative_to(repository.top).as_posix()
    prefix = b"" if inside == "." else os.fsencode(inside) + b"/"
    submodules = tuple(name + b"/" for name, entry in entries.items() if entry.is_submodule)
    racy = _stamp(repository.index)
    for path, size, mtime_ns in files:
        name = prefix + os.fsencode(path)
        if name.startswith(submodules):
            continue
        entry = entries.get(name)
        sure = entry is not None and entry.is_unchanged(size, mtime_ns) and racy is not None and mtime_ns < racy[1]
        if entry is None or name in staged or not (sure or _same_content(root, path, entry)):
            yield path


def _same_content(root: Path, path: str, entry: IndexEntry) -> bool:
    """Whether a file holds what its object holds, be it with other line ends."""
    try:
        with os.fdopen(open_inside(root, path.split("/")), "rb") as source:
            content = source.read(MAX_COMPARED + 1)
    except OSError:
        return False
    return any(
        _object_name(text, len(entry.object_name)) == entry.object_name
        for text in {content, content.replace(b"\r\n", b"\n")}
    )


def _object_name(content: bytes, length: int) -> bytes:
    """The name that git gives to this content."""
    algorithm = _HASHES.get(length, "sha1")
    return hashlib.new(algorithm, b"blob %d\0" % len(content) + content, usedforsecurity=False).digest()
