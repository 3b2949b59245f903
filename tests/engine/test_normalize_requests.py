"""Requests as edges hand them over, in the one form that the engine works on."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.chunking.languages import LANGUAGES
from retrieval.engine.requests import normalize_filters, normalize_search, normalize_similar
from retrieval.errors import QueryError
from retrieval.types import Filters, SearchRequest, SimilarRequest

ROOT = Path("/work/project")


@pytest.mark.parametrize("name", ["python", "Python", "py", ".py", " PY "])
def test_a_language_is_known_by_its_name_short_form_and_file_ending(name: str) -> None:
    assert normalize_filters(Filters(languages=(name,)), ROOT).languages == ("python",)


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("src/*.py", "src/*.py"),
        ("./src", "/src"),
        ("!./src", "!/src"),
        (".", "**"),
        ("/work/project/src", "/src"),
        ("/work/project", "**"),
        (".github", ".github"),
    ],
)
def test_a_glob_begins_at_the_root(glob: str, expected: str) -> None:
    assert normalize_filters(Filters(paths=(glob,)), ROOT).paths == (expected,)


def test_kinds_are_known_in_any_case() -> None:
    assert normalize_filters(Filters(kinds=("Function",)), ROOT).kinds == ("function",)


def test_types_of_content_are_languages() -> None:
    def languages(*content: str, within: tuple[str, ...] = ()) -> tuple[str, ...]:
        return normalize_filters(Filters(within, content=content), ROOT).languages

    assert languages("Docs") == ("asciidoc", "markdown", "mdx", "org", "rst", "tex", "text")
    assert set(languages("code", "docs", "config")) == set(LANGUAGES)
    assert "yaml" in languages("config") and "python" in languages("code")
    assert languages("code", within=("md", "go")) == ("go",)
    with pytest.raises(QueryError, match="No language of markdown is code or config"):
        languages("code", "config", within=("md",))


def test_normalizing_twice_changes_nothing() -> None:
    request = SearchRequest("x", Filters(("ts", "py"), ("./src", "!*.md"), ("METHOD",), ("code",), "^x"), 3)
    once = normalize_search(request, ROOT)
    assert normalize_search(once, ROOT) == once


@pytest.mark.parametrize(
    ("request_", "accepted"),
    [
        (SearchRequest("x", Filters(languages=("klingon",))), "python"),
        (SearchRequest("x", Filters(kinds=("verb",))), "function, method, class"),
        (SearchRequest("x", Filters(content=("prose",))), "code, docs, config"),
        (SearchRequest("x", Filters(grep="x(")), "character 2"),
        (SearchRequest("x", ranking="best"), "full, fused"),
        (SearchRequest("x", limit=0), "from 1"),
    ],
)
def test_an_error_says_what_is_accepted(request_: SearchRequest, accepted: str) -> None:
    with pytest.raises(QueryError, match=accepted):
        normalize_search(request_, ROOT)


def test_similar_needs_code() -> None:
    with pytest.raises(QueryError, match="give a file and line"):
        normalize_similar(SimilarRequest(text="  "), ROOT)
