"""The files beside a file, where they tell its language (chunking/neighbors.py), and which files a new or deleted one affects.

Nothing of this is stored: a folder is listed when a text in it leaves its language open, once a run. When a file that can tell
the language of others comes or goes, those beside it are read again; what stays the same is kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from retrieval.chunking.neighbors import TELLING_ENDINGS, is_told_by_neighbors, telling_ending

_MAX_ENTRIES = 20_000  # of a folder


class FolderNeighbors:
    """The endings of files in the folders of one tree, without those that are ignored."""

    def __init__(self, root: Path, ignores: Callable[[str], bool]) -> None:
        self._root, self._ignores = root, ignores
        self._endings: dict[str, frozenset[str]] = {}

    def endings(self, path: str) -> frozenset[str]:
        """Of the files that can tell the language of the one at `path`."""
        folder = path.rpartition("/")[0]
        found = self._endings.get(folder)
        if found is None:
            found = self._endings[folder] = frozenset(self._listed(folder))
        return found

    def affected(self, paths: Iterable[str]) -> set[str]:
        """The files whose language can be another one since those at `paths` came or went."""
        folders = {path.rpartition("/")[0] for path in paths if telling_ending(path) in TELLING_ENDINGS}
        return {
            path
            for folder in folders
            for path in self._paths(folder)
            if is_told_by_neighbors(path) and not self._ignores(path)
        }

    def _listed(self, folder: str) -> set[str]:
        endings: set[str] = set()
        for path in self._paths(folder):
            ending = telling_ending(path)
            if ending in TELLING_ENDINGS and ending not in endings and not self._ignores(path):
                endings.add(ending)
        return endings

    def _paths(self, folder: str) -> list[str]:
        names: list[str] = []
        with suppress(OSError, ValueError), os.scandir(self._root / folder) as entries:
            for entry in entries:
                if len(names) >= _MAX_ENTRIES:
                    break
                if entry.is_file(follow_symlinks=False):
                    names.append(entry.name)
        return [f"{folder}/{name}" if folder else name for name in sorted(names)]
