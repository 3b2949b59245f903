"""What is typed into the search box: words and filters."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2llm_lsp.query_text import complete, parse, toggled
from retrieval.types import Filters, SearchScope


@pytest.mark.parametrize(
    ("typed", "query", "filters"),
    [
        ("retry a request", "retry a request", Filters()),
        ("lang:go,py retry", "retry", Filters(languages=("go", "py"))),
        ("retry kind:function kind:method", "retry", Filters(kinds=("function", "method"))),
        ("path:src/** -path:tests/** retry", "retry", Filters(paths=("src/**", "!tests/**"))),
        ('path:"a, b/**" retry', "retry", Filters(paths=("a, b/**",))),
        ("content:code grep:^def retry", "retry", Filters(content=("code",), grep="^def")),
        ('grep:"raise \\w+" retry', "retry", Filters(grep="raise \\w+")),
        ("in:changed,folder retry", "retry", Filters(scope=SearchScope(("changed", "folder")))),
        ("retry lang:", "retry", Filters()),
        ("-lang:go retry", "-lang:go retry", Filters()),
        ("std::path:x url:http", "std::path:x url:http", Filters()),
        ("  spaces   between ", "spaces between", Filters()),
    ],
)
def test_filters_are_taken_out_of_the_words(typed: str, query: str, filters: Filters) -> None:
    assert (parse(typed).query, parse(typed).filters) == (query, filters)


@given(st.text(max_size=200))
def test_whatever_is_typed_is_read_and_only_its_last_word_is_completed(typed: str) -> None:
    parse(typed)
    text, _ = complete(typed, ("go", "python"))
    last = re.split(r"\s", typed)[-1]
    assert text.startswith(typed[: len(typed) - len(last)])


@pytest.mark.parametrize(
    ("typed", "text", "candidates"),
    [
        ("retry la", "retry lang:", ()),
        ("lang:py", "lang:python ", ()),
        ("lang:t", "lang:t", ("toml", "typescript")),
        ("lang:go,ty", "lang:go,typescript ", ()),
        ("kind:f", "kind:function ", ()),
        ("content:", "content:", ("code", "docs", "config")),
        ("path:src", "path:src", ()),
        ("in:c", "in:changed ", ()),
        ("in:", "in:", ("folder", "package", "changed", "no-tests")),
        ("retry", "retry", ()),
        ("retry ", "retry ", ()),
        ("", "", ()),
        ("lang:zz", "lang:zz", ()),
    ],
)
def test_a_filter_is_completed(typed: str, text: str, candidates: tuple[str, ...]) -> None:
    assert complete(typed, ("go", "python", "toml", "typescript")) == (text, candidates)


def test_a_scope_is_put_in_and_taken_out() -> None:
    assert toggled("retry", "changed") == "in:changed retry "
    assert toggled("in:changed retry in:folder", "changed") == "retry in:folder "
