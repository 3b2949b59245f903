"""An empty answer names the filter that matches nothing, and what there is instead."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.errors import QueryError
from retrieval.types import Filters, SearchRequest


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    root = tmp_path / "root"
    (root / "src").mkdir(parents=True)
    (root / "src" / "ship.py").write_text("def ship(parcel):\n    return parcel.send()\n")
    (root / "notes.md").write_text("# Notes\n\nParcels are sent.\n")
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=tmp_path / "cache") as opened:
        opened.refresh()
        yield opened


def notes(workspace: Workspace, filters: Filters) -> str:
    return " ".join(workspace.search(SearchRequest("parcel", filters)).notes)


@pytest.mark.parametrize(
    ("filters", "note"),
    [
        (Filters(languages=("cobol",)), "No cobol is indexed; there is "),
        (Filters(languages=("python", "cobol"), paths=("nowhere/**",)), "No indexed file matches the path nowhere/**."),
        (Filters(kinds=("cell",)), "No code of the kind cell is indexed."),
    ],
)
def test_the_filter_that_matches_nothing_is_named(workspace: Workspace, filters: Filters, note: str) -> None:
    assert note in notes(workspace, filters)


def test_languages_of_the_index_are_told(workspace: Workspace) -> None:
    told = notes(workspace, Filters(languages=("cobol",)))
    assert "python" in told and "markdown" in told


def test_filters_that_match_something_are_not_named(workspace: Workspace) -> None:
    assert "indexed" not in notes(workspace, Filters(languages=("python",), kinds=("section",)))


def test_a_language_that_there_is_not_is_refused_with_names_like_it(workspace: Workspace) -> None:
    with pytest.raises(QueryError, match="Like it: python"):
        notes(workspace, Filters(languages=("pyhton",)))
