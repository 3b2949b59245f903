"""Filters on files with several languages and on chunks with several definitions, indexed and in buffers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.engine.requests import normalize_filters
from retrieval.types import Filters, SearchRequest

FILES = {
    "till.vue": "<template>\n  <p>basket</p>\n</template>\n<script lang='ts'>\nfunction countBasket() {\n  return 1;\n}\n"
    "</script>\n",
    "README.md": "# Basket\n\ntext of the basket\n\n```py\ndef count_basket():\n    return 1\n```\n",
    "basket.py": "class Basket:\n    def count(self):\n        return 1\n\n    def empty(self):\n        return 0\n",
}


@pytest.fixture(params=["indexed", "in buffers"])
def workspace(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Workspace]:
    root = tmp_path / "root"
    root.mkdir()
    if request.param == "indexed":
        for path, text in FILES.items():
            (root / path).write_text(text)
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=tmp_path / "cache") as opened:
        opened.refresh()
        if request.param != "indexed":
            for path, text in FILES.items():
                opened.set_buffer(path, text)
        yield opened


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(languages=("typescript",)), {"till.vue typescript"}),
        (Filters(languages=("vue",)), {"till.vue typescript", "till.vue html"}),
        (Filters(languages=("html",)), {"till.vue html"}),
        (Filters(languages=("python",)), {"README.md python", "basket.py python"}),
        (Filters(languages=("markdown",)), {"README.md python", "README.md markdown"}),
        (Filters(content=("docs",)), {"README.md python", "README.md markdown"}),
        (Filters(content=("code",)), {"till.vue typescript", "till.vue html", "basket.py python"}),
        (Filters(content=("code", "docs"), languages=("python",)), {"README.md python", "basket.py python"}),
        (Filters(content=("code",), languages=("python",)), {"basket.py python"}),
    ],
)
def test_languages_are_those_of_parts_and_of_files(workspace: Workspace, filters: Filters, expected: set[str]) -> None:
    rows = workspace.snapshot()[0].rows
    ids = rows.allowed(normalize_filters(filters, workspace.root))
    assert ids is not None
    chunks = rows.chunks(ids.tolist()).values()
    assert {f"{chunk.path} {chunk.language}" for chunk in chunks} == expected


def test_a_kind_finds_what_is_inside_of_a_chunk(workspace: Workspace) -> None:
    def found(query: str, *kinds: str) -> list[tuple[str, str, int, int]]:
        hits = workspace.search(SearchRequest(query, Filters(paths=("*.py",), kinds=kinds))).hits
        return [(hit.chunk.kind, hit.chunk.qualified, hit.start_line, hit.end_line) for hit in hits]

    assert found("count", "method") == [("method", "Basket.count", 2, 3)]
    assert found("what is empty", "method") == [("method", "Basket.empty", 5, 6)]
    assert found("Basket", "class") == [("class", "Basket", 1, 6)]
    assert found("Basket", "method", "class") == [("class", "Basket", 1, 6)]
    assert found("count", "function") == []
