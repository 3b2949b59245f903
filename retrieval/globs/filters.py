"""Path filters: gitignore-style patterns over relative paths; one that begins with "!" excludes."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval.errors import QueryError
from retrieval.globs.rules import RuleSet, parse_rule
from retrieval.globs.wildmatch import NO_CHARACTER


class Globs:
    """Lets a path through that one of the patterns matches (any path, where there are only exclusions) and none
    excludes. A pattern that matches a folder matches what is below it. Made for one query: it remembers folders.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        """Raises QueryError for what cannot be matched with: an escape of nothing, a class that does not end."""
        wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
        barred = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
        self._wanted = _Patterns(wanted) if wanted else None
        self._barred = _Patterns(barred) if barred else None

    def match(self, path: str) -> bool:
        return (self._wanted is None or self._wanted.match(path)) and not (self._barred and self._barred.match(path))


class _Patterns:
    """Patterns without exclusions."""

    def __init__(self, patterns: Sequence[str]) -> None:
        for pattern in patterns:
            _require(pattern)
        self._rules = RuleSet(patterns, fold=False, as_bytes=False)
        if self._rules.dropped:
            raise QueryError("These are too many path filters, or too long ones: give fewer.")
        self._folders: dict[str, bool] = {"": False}

    def match(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        return self._folder(folder) or bool(self._rules.decide(path, name, False))

    def _folder(self, folder: str) -> bool:
        """Whether a pattern matches this folder or one above it."""
        known = self._folders.get(folder)
        if known is None:
            known = False
            for end in [at for at, char in enumerate(folder + "/") if char == "/"]:
                path = folder[:end]
                if path not in self._folders:
                    self._folders[path] = known or bool(self._rules.decide(path, path[path.rfind("/") + 1 :], True))
                known = self._folders[path]
        return known


def _require(pattern: str) -> None:
    if not pattern.strip() or pattern.startswith("#"):
        return
    rule = None if pattern.startswith("!") else parse_rule(pattern, as_bytes=False)
    if rule is None or NO_CHARACTER in rule.tokens:
        raise QueryError(f"'{pattern[:200]}' is not a glob; an example is 'src/**/*.py'.")
