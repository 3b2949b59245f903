"""No regular expression that sees text of a workspace takes more than linear time, whatever the text is made for."""

from __future__ import annotations

import importlib.util
import re
from functools import lru_cache

import pytest

from tests.security.backtracking import trouble
from tests.security.pattern_costs import Use, slow_uses
from tests.security.pattern_limits import BOUNDS, DEFINITION_PATTERNS, HARMLESS, INLINE, PREPARED
from tests.security.patterns_of_modules import ELSEWHERE, HEAVY, TRAINING, held, inline, modules, uses_re
from tests.soak import FULL


def uses() -> list[Use]:
    return [
        *(
            Use(one.name, one.pattern, use, BOUNDS.get(one.name, (0, ""))[0])
            for one in held()
            for use in sorted(one.uses)
        ),
        *(Use(name, pattern, "match", BOUNDS[name][0]) for name, pattern in DEFINITION_PATTERNS.items()),
    ]


@lru_cache
def by_form() -> dict[str, str]:
    """The patterns that the analysis finds not to be linear."""
    return {use.name: kind for use in uses() if (kind := trouble(use.pattern, use.use))}


def measured() -> list[Use]:
    return [use for use in uses() if use.name not in PREPARED]


@pytest.mark.parametrize(
    ("pattern", "use", "expected"),
    [
        (r"(a+)+b", "match", "exponential"),
        (r"(?:a|ab|b)*c", "match", "exponential"),
        (r"(?:template<.*>\s+)*x", "fullmatch", "exponential"),
        (r"a*a*b", "match", "quadratic"),
        (r"\s+x", "search", "quadratic"),
        (r"(?m)^\s*x", "search", "quadratic"),
        (r'"(?:[^"\\]|\\.)*"', "search", "quadratic"),
        (r"a(?=\w*x)", "search", "quadratic"),
        (r"\s+x", "match", ""),
        (r"^\s*x", "search", ""),
        (r"(?m)^[ \t]*x", "search", ""),
        (r"(?:\w+\s+)*\w+\(", "match", ""),
        (r"\w+", "search", ""),
        (r"[a-z]{0,80}x", "search", ""),
    ],
)
def test_the_analysis_tells_what_backtracks(pattern: str, use: str, expected: str) -> None:
    assert trouble(re.compile(pattern), use) == expected


@pytest.mark.slow
def test_patterns_that_are_not_linear_by_their_form_are_listed_with_the_reason() -> None:
    found = {*by_form()}
    assert found - {*BOUNDS, *HARMLESS} == set()
    assert {*HARMLESS} - found == set()  # nothing is listed that need not be
    assert {*BOUNDS} - found - {*DEFINITION_PATTERNS} == set()


@pytest.mark.slow
def test_none_is_exponential() -> None:
    assert "exponential" not in by_form().values()


@pytest.mark.slow
def test_none_is_made_where_it_is_used_but_of_escaped_names() -> None:
    assert {found for module in modules() for found in inline(module)} == {*INLINE}


def test_patterns_are_found_and_modules_that_are_left_out_exist() -> None:
    assert len(held()) > 90
    assert all(importlib.util.find_spec(name) for name in (*ELSEWHERE, *TRAINING))
    assert not any(uses_re(module) for module in HEAVY)


@pytest.mark.parametrize("name", ["a", "a b", "(((((", "a.b*", "\\", " ", "--"])
def test_names_in_patterns_stand_for_themselves(name: str) -> None:
    escaped = re.escape(name)
    for text in (rf"(?<!\w){escaped}(?!\w)", rf"(?<!\w){escaped}(?![\w$])"):
        assert trouble(re.compile(text, re.IGNORECASE), "search") == ""


@pytest.mark.slow
def test_the_measurement_finds_a_slow_pattern_and_goes_on_behind_one_that_never_ends() -> None:
    bad = [Use("never", re.compile(r"(a+)+b"), "match"), Use("square", re.compile(r"\s+x"), "search")]
    slow = slow_uses([*bad, Use("good", re.compile(r"\w+"), "search")], few=True)
    assert [line.split()[0] for line in slow] == ["never", "square"]


@pytest.mark.slow
def test_each_takes_time_as_its_text_is_long() -> None:
    assert slow_uses(measured(), every=1 if FULL else 3) == []
