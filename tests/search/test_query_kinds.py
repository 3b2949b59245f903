from __future__ import annotations

import pytest

from retrieval.search.query import parse


@pytest.mark.parametrize(
    "text",
    [
        "fix crash when the folder is empty",
        "Add a flag to turn colours off",
        "don't follow links to other hosts",
        "the header shouldn't be sent twice",
        "the header shouldn\u2019t be sent twice",
        "wrong offset after a line break",
        "cursor is not restored",
    ],
)
def test_what_says_what_to_change_or_what_is_wrong_is_a_change(text: str) -> None:
    assert parse(text).is_change


@pytest.mark.parametrize(
    "text",
    [
        "how are redirects followed",
        "where does it fail if the folder is missing",
        "what should an answer look like",
        "request retries",
        "parser of the configuration file",
        "add",
        "fixBrokenLinks",
        "do_not_track",
        "\u4fee\u590d\u6587\u4ef6",
    ],
)
def test_questions_topics_and_names_are_none(text: str) -> None:
    assert not parse(text).is_change


@pytest.mark.parametrize(
    "text", ["retries documentation", "readme of the parser", "docs about limits of requests", "migration guide"]
)
def test_who_names_documents_asks_for_them(text: str) -> None:
    assert parse(text).asks_for_documents


@pytest.mark.parametrize(
    "text",
    [
        "documentation generation", "how is the manual built", "where are the docs rendered", "parse the readme",
        "docs", "fix the broken docs", "document root", "writing documentation strings",
    ],
)  # fmt: skip
def test_code_that_works_on_documents_is_code(text: str) -> None:
    assert not parse(text).asks_for_documents
