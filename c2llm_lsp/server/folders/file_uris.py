"""The paths of a folder's files as URIs, and back. Any thread."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from pygls.uris import from_fs_path, to_fs_path

_CACHED_PATHS = 4096


class FileUris:
    """Paths are relative to the folder with / as separator, as the index has them."""

    def __init__(self, uri: str) -> None:
        self.root = Path(to_fs_path(uri) or "/")
        self.relative = lru_cache(_CACHED_PATHS)(self._relative)  # called for each open document with each answer
        self._base = (from_fs_path(str(self.root)) or "").rstrip("/")
        self._open: dict[str, str] = {}

    def _relative(self, uri: str) -> str | None:
        """The path of a file of this folder; None for what lies outside."""
        file = to_fs_path(uri)
        if file is None or not file.startswith(str(self.root).rstrip("/\\")):
            return None
        try:
            path = Path(file).relative_to(self.root).as_posix()
        except ValueError:
            return None
        return path if path != "." else None

    def uri_of(self, path: str) -> str:
        """The URI of a path, as the client writes it where it has the file open."""
        return self._open.get(path) or f"{self._base}/{quote(path)}"

    def remember(self, path: str, uri: str) -> None:
        """The client has a file open under this URI."""
        self._open[path] = uri

    def forget(self, path: str) -> None:
        self._open.pop(path, None)
