"""Patterns as regular expressions: they match what the pattern means, in a bounded number of steps."""

from __future__ import annotations

import re
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from retrieval.globs.wildmatch import Kind, Token, to_regex, tokenize
from tests.globs.backtracking import steps

PIECES = st.sampled_from(["a", "b", "*", "?", "/", "**/", "/**/", "**", "[ab]", "[!a]", "*a", "a*/", "ab"])
PATTERNS = st.lists(PIECES, max_size=10).map("".join)
PATHS = st.text("ab/", max_size=24)


def matches_tokens(tokens: list[Token], path: str) -> bool:
    """A reference implementation without regular expressions."""

    @cache
    def matches(index: int, where: int) -> bool:
        if index == len(tokens):
            return where == len(path)
        token, rest = tokens[index], path[where:]
        if token.kind is Kind.REST:
            return True
        if token.kind is Kind.FOLDERS:
            starts = [where, *(where + slash + 1 for slash, char in enumerate(rest) if char == "/")]
            return any(matches(index + 1, start) for start in starts)
        if token.kind is Kind.STAR:
            length = len(rest.partition("/")[0])
            return any(matches(index + 1, where + taken) for taken in range(length + 1))
        fits = rest[:1] == token.text if token.kind is Kind.CHARACTER else re.match(token.text, rest)
        return bool(rest and fits) and matches(index + 1, where + 1)

    return matches(0, 0)


@given(PATTERNS, PATHS)
@example("**/a/**/b/**/c", "x/a/a/b/y/b/c")
@example("a**/b", "ab")
@example("*ab*ab", "abab")
@example("*ab*b*", "aabbab")
def test_the_expression_matches_what_the_tokens_mean(pattern: str, path: str) -> None:
    tokens = tokenize(pattern, True)
    assert tokens is not None
    assert bool(re.fullmatch(to_regex(tokens), path, re.DOTALL)) == matches_tokens(tokens, path)


@given(PATTERNS, PATHS, st.sampled_from([1, 4]), st.sampled_from([1, 4]))
@example("*a", "a", 6, 40)
@example("**/", "a/", 12, 30)
@example("a*/**/", "aa/", 6, 30)
def test_steps_are_bounded_by_pattern_times_path(pattern: str, path: str, longer: int, deeper: int) -> None:
    pattern, path = pattern * longer + "b", path * deeper
    tokens = tokenize(pattern, True)
    assert tokens is not None
    expression = to_regex(tokens)
    assert steps(expression, path) <= 4 * (len(pattern) + 4) * (len(path) + 4)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a*a*a*a*b", "a" * 50_000),
        ("*a" * 1000 + "b", "a" * 4000),
        ("?*" * 1000 + "b", "a" * 4000),
        ("**/" * 12 + "x", "d/" * 2000 + "y"),
        ("**/*/" * 300 + "x", "d/" * 2000 + "y"),
        ("a/**/" * 300 + "x", "a/" * 2000 + "y"),
        ("**/*a*a*a/" * 100 + "x", ("a" * 60 + "/") * 60 + "y"),
        ("*/" * 500 + "*b", "aaa/" * 500 + "aaa"),
        ("[!b]*[a]*" * 300 + "b", "a" * 4000),
    ],
)
def test_patterns_that_take_exponential_time_elsewhere_are_decided(pattern: str, path: str) -> None:
    tokens = tokenize(pattern, True)
    assert tokens is not None
    assert not re.fullmatch(to_regex(tokens), path, re.DOTALL)
