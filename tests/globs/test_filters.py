"""Path filters: which paths they match, and which patterns are invalid."""

from __future__ import annotations

import pytest

from retrieval.errors import QueryError
from retrieval.globs import PathGlobs

PATHS = ("README.md", "app/a.py", "app/deep/b.py", "web/a.ts", "web/app/c.py", "übung/é.py")


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ("", "README.md app/a.py app/deep/b.py web/a.ts web/app/c.py übung/é.py"),
        ("*.py", "app/a.py app/deep/b.py web/app/c.py übung/é.py"),
        ("app", "app/a.py app/deep/b.py web/app/c.py"),
        ("/app", "app/a.py app/deep/b.py"),
        ("app/", "app/a.py app/deep/b.py web/app/c.py"),
        ("app/*", "app/a.py app/deep/b.py"),
        ("app/*.py", "app/a.py"),
        ("app/** web/**", "app/a.py app/deep/b.py web/a.ts web/app/c.py"),
        ("**/deep/*", "app/deep/b.py"),
        ("*.py !app", "übung/é.py"),
        ("!*.py", "README.md web/a.ts"),
        ("?.py !/app", "web/app/c.py übung/é.py"),
        ("APP", ""),
        ("#app", ""),
    ],
)
def test_filters_match_paths(patterns: str, expected: str) -> None:
    filters = PathGlobs(patterns.split())
    assert [path for path in PATHS if filters.match(path)] == expected.split()


@pytest.mark.parametrize("glob", ["\\", "[z-a]", "[a", "!!", "!\\", "x\\", "[[:nope:]]", "a" * 5000, "a?" * 5000])
def test_a_malformed_pattern_is_an_error(glob: str) -> None:
    with pytest.raises(QueryError):
        PathGlobs([glob])


def test_too_many_filters_are_an_error() -> None:
    with pytest.raises(QueryError, match="too many"):
        PathGlobs(["a*b*c"] * 10_000)


def test_a_hostile_filter_matches_in_bounded_time() -> None:
    filters = PathGlobs(["**/" * 12 + "x", "*a*a*a*a*b", "!" + "**/a*/" * 100 + "z"])
    assert not any(filters.match("aa/" * 30 + "a" * 200 + str(number)) for number in range(200))
