"""Which spans of a line are marked for a query."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.search import matches, parse


def marked(query: str, line: str) -> list[str]:
    return [line[a:b] for a, b in matches(line, parse(query).terms)]


@pytest.mark.parametrize(
    ("query", "line", "expected"),
    [
        ("where are ignore rules", "if ignoredRules.apply(the_rule):", ["ignored", "Rules", "rule"]),
        ("parseHTTP", "def parseHTTP(request):", ["parseHTTP"]),
        ("how is it that the", "how the road", ["how", "the"]),
        ("émoji 🎉", "# an émoji 🎉 in a comment", ["émoji"]),
        ("nothing", "", []),
    ],
)
def test_words_are_marked_by_stem_and_part_of_identifier(query: str, line: str, expected: list[str]) -> None:
    assert marked(query, line) == expected


def test_without_terms_nothing_is_marked() -> None:
    assert matches("how the", ()) == []


@given(st.text(), st.text(min_size=1))
def test_spans_are_ascending_and_apart(line: str, query: str) -> None:
    ends = [edge for span in matches(line, (query,)) for edge in span]
    assert ends == sorted(ends)
