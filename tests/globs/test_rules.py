"""The rules of an ignore file: the last match decides, and the number of rules is limited."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.globs import MAX_RULES, MAX_WILDCARDS, RuleSet

LINES = st.lists(
    st.sampled_from(["ab", "*b", "a*", "a*b", "?b", "/ab", "x/ab", "x/*b", "**/ab", "*", "[a]b"]).flatmap(
        lambda pattern: st.sampled_from([pattern, "!" + pattern, pattern + "/", f"!{pattern}/"])
    ),
    max_size=6,
)


@given(LINES, st.sampled_from(["ab", "x/ab", "b", "ac", "x/b", "aab"]), st.booleans())
def test_the_last_rule_that_matches_decides(lines: list[str], path: str, is_directory: bool) -> None:
    name = path.rpartition("/")[2]
    verdicts = [RuleSet([line]).decide(path, name, is_directory) for line in lines]
    last = next((verdict for verdict in reversed(verdicts) if verdict is not None), None)
    assert RuleSet(lines).decide(path, name, is_directory) is last


def test_case_is_ignored_for_ascii_letters_only() -> None:
    lines = ["Ab", "*.TXT", "Up*", "P/Ath", "W?ld", "É"]
    for name in ("aB", "x.txt", "uPper", "p/aTH", "wILD", "É"):
        assert RuleSet(lines, ignore_case=True).decide(name, name.rpartition("/")[2], False), name
    for name in ("aB", "x.txt", "uPper", "p/aTH", "wILD", "é"):
        assert RuleSet(lines, ignore_case=False).decide(name, name.rpartition("/")[2], False) is None, name
    assert RuleSet(lines, ignore_case=True).decide("é", "é", False) is None


def test_rules_beyond_the_limits_are_dropped() -> None:
    many = RuleSet([f"name{number}" for number in range(MAX_RULES + 1)])
    assert many.dropped and len(many) == MAX_RULES
    assert many.decide("name7", "name7", False) and many.decide(f"name{MAX_RULES}", f"name{MAX_RULES}", False) is None
    wild = RuleSet(["*a*b"] * MAX_WILDCARDS + ["fixed"])
    assert wild.dropped and wild.weight <= MAX_WILDCARDS
    assert wild.decide("xaxb", "xaxb", False) and wild.decide("fixed", "fixed", False)
    assert RuleSet(["x" * 100_000]).dropped and not RuleSet(["#" * 100_000]).dropped


@pytest.mark.slow
@pytest.mark.parametrize(
    "line", ["*a*b", "?*b", "*[!a]", "[!b]*b", "*a*a*a*a*b", "**/a*a/**/b/c?", "*/*/*/*/*b?", "[[:alpha:]]*?"]
)
def test_the_longest_ignore_file_is_applied_to_hundreds_of_names(line: str) -> None:
    rules, one = RuleSet([line] * MAX_RULES), RuleSet([line])
    for number in range(200):
        name = "a" * 200 + str(number)
        path = f"{'aa/' * 60}{name}"
        assert rules.decide(path, name, False) == one.decide(path, name, False)
