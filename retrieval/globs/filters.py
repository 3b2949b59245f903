"""Path filters: gitignore-style patterns for relative paths; a leading "!" excludes."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval.errors import QueryError
from retrieval.globs.rules import RuleSet, parse_rule
from retrieval.globs.wildmatch import NO_CHARACTER


class PathGlobs:
    """Matches a path that one of the patterns matches (any path, if there are only exclusions) and none excludes. A pattern
    that matches a folder matches everything below it. Created for one query: it caches folders.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        """Raises QueryError for malformed patterns: a trailing backslash, an unterminated class."""
        included = [pattern for pattern in patterns if not pattern.startswith("!")]
        excluded = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
        self._included = _PatternSet(included) if included else None
        self._excluded = _PatternSet(excluded) if excluded else None

    def match(self, path: str) -> bool:
        return (self._included is None or self._included.match(path)) and not (
            self._excluded and self._excluded.match(path)
        )


class _PatternSet:
    """Patterns without negations."""

    def __init__(self, patterns: Sequence[str]) -> None:
        for pattern in patterns:
            _validate(pattern)
        self._rules = RuleSet(patterns, ignore_case=False, as_bytes=False)
        if self._rules.dropped:
            raise QueryError("The path filters are too many or too long: use fewer.")
        self._folders: dict[str, bool] = {"": False}

    def match(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        return self._matches_folder(folder) or bool(self._rules.decide(path, name, False))

    def _matches_folder(self, folder: str) -> bool:
        """Whether a pattern matches this folder or one of its parents."""
        matches = self._folders.get(folder)
        if matches is None:
            matches = False
            for end in [at for at, char in enumerate(folder + "/") if char == "/"]:
                path = folder[:end]
                if path not in self._folders:
                    self._folders[path] = matches or bool(self._rules.decide(path, path[path.rfind("/") + 1 :], True))
                matches = self._folders[path]
        return matches


def _validate(pattern: str) -> None:
    if not pattern.strip() or pattern.startswith("#"):
        return
    rule = None if pattern.startswith("!") else parse_rule(pattern, as_bytes=False)
    if rule is None or NO_CHARACTER in rule.tokens:
        raise QueryError(f"'{pattern[:200]}' is not a valid glob; an example is 'src/**/*.py'.")
