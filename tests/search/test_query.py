from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.errors import QueryError
from retrieval.search.query import MAX_QUERY_CHARS, MAX_TERMS, parse, stems
from retrieval.store import split_identifiers, stem


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\x00"])
def test_an_empty_query_says_what_to_type(text: str) -> None:
    with pytest.raises(QueryError, match="say what to look for"):
        parse(text)


def test_stop_words_are_left_out_of_the_terms() -> None:
    assert parse("how are redirects followed").terms == ("redirect", "follow")


def test_a_query_of_stop_words_alone_keeps_them() -> None:
    assert parse("what is this").terms == ("what", "is", "thi")


def test_compound_names_bring_their_parts() -> None:
    query = parse("where is getUserById")
    assert query.terms == ("getuserbyid", "user", "id")
    assert query.parts == ("user", "id")
    assert query.names == ("getUserById",)
    assert not query.is_name


@pytest.mark.parametrize("text", ["HandlerStack", "Session.send", "std::vector", "app->run()", "view", "__init__"])
def test_a_single_name_is_recognised(text: str) -> None:
    query = parse(text)
    assert query.is_name
    assert query.names == (text.removesuffix("()"),)


def test_plain_words_are_not_names() -> None:
    assert parse("Redirects are followed by the session").names == ()


@pytest.mark.parametrize("family", [("parse", "parser", "parsing", "parses"), ("route", "routing", "routes", "router")])
def test_words_of_one_family_share_a_stem(family: tuple[str, ...]) -> None:
    assert len({stem(word) for word in family}) == 1


def test_stems_of_a_name_come_once_each() -> None:
    assert stems("RequestParserParsers") == ("request", "pars")


def test_a_query_of_100_000_characters_is_cut() -> None:
    query = parse("needle " + "x1y2 " * 20_000)
    assert len(query.text) <= MAX_QUERY_CHARS
    assert len(query.terms) <= MAX_TERMS
    assert stem("needle") in query.terms


@given(st.text(min_size=1, max_size=300))
def test_any_text_parses_or_is_called_empty(text: str) -> None:
    try:
        query = parse(text)
    except QueryError:
        return
    assert query.text.encode("utf-8")
    assert len(set(query.terms)) == len(query.terms)
    assert set(query.terms) <= set(split_identifiers(text).split()) | {""} or len(text) > 60
