"""Path filters: gitignore-style patterns over relative paths; one that begins with "!" excludes."""

from __future__ import annotations

from collections.abc import Sequence


class Globs:
    """Lets a path through that one of the patterns matches (any path, where there are only exclusions) and none
    excludes.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        from pathspec import GitIgnoreSpec

        wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
        self._wanted = GitIgnoreSpec.from_lines(wanted) if wanted else None
        self._barred = GitIgnoreSpec.from_lines([pattern[1:] for pattern in patterns if pattern.startswith("!")])

    def match(self, path: str) -> bool:
        return (self._wanted is None or self._wanted.match_file(path)) and not self._barred.match_file(path)
