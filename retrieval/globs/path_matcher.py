"""Which paths pass the filters of a query."""

from __future__ import annotations

from retrieval.globs.filters import PathGlobs
from retrieval.globs.test_files import is_test
from retrieval.types import Filters


class PathMatcher:
    """Created for one query: it caches folders."""

    def __init__(self, filters: Filters) -> None:
        """Raises QueryError for malformed globs."""
        self._globs = PathGlobs(filters.paths) if filters.paths else None
        self._files = None if filters.files is None else frozenset(filters.files)
        self._below = f"{filters.folder}/" if filters.folder else ""
        self._tests = filters.tests

    def match(self, path: str) -> bool:
        return (
            path.startswith(self._below)
            and (self._files is None or path in self._files)
            and (self._tests or not is_test(path))
            and (self._globs is None or self._globs.match(path))
        )
