"""Lines and comments made to be slow are answered, where a name is looked for and where copies are."""

from __future__ import annotations

import pytest

from retrieval.search.definitions import definition
from retrieval.search.duplicates import similarity
from retrieval.types import Chunk


def chunk_of(text: str) -> Chunk:
    return Chunk("a.cpp", "cpp", "function", "", "", 1, 1 + text.count("\n"), 0, len(text), text)


def test_a_line_of_many_template_headers_holds_no_search_up() -> None:
    assert definition(chunk_of("template<a> " * 24 + "! name"), "name") is None  # 2**24 ways to read the headers
    assert definition(chunk_of("template<a<b<c>>> " * 3 + "class name {"), "name") == (1, "name")


@pytest.mark.parametrize("unit", ["/*", "/*\n", '\\"""', '\\"', "'''\\"])
def test_comments_and_strings_without_an_end_are_compared(unit: str) -> None:
    assert similarity(unit * 100_000, unit * 100_000) == 1.0
