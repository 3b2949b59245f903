"""Each language of the table: how its file is cut, what is defined where, and that names and questions find it first.

All files are one index, so that each of them is found among all the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.chunking import chunk_file
from retrieval.chunking.grammars import GRAMMARS, load
from retrieval.chunking.methods import methods
from retrieval.encoders.onnx import OnnxEncoder, embedded_folder
from retrieval.engine import Workspace
from retrieval.types import SearchRequest
from tests.languages.table import FILES, Row, names, page, rows

ROWS = rows()
DOCS = Path(__file__).parents[2] / "docs" / "languages.md"


def is_installed(language: str) -> bool:
    return language not in GRAMMARS or load(language) is not None


INSTALLED = [row for row in ROWS if is_installed(row.language)]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    root, cache = tmp_path_factory.mktemp("files"), tmp_path_factory.mktemp("cache")
    for row in ROWS:
        path = root / row.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(row.text, encoding="utf-8")
    encoder = OnnxEncoder(embedded_folder(), name="embedded", threads=1)
    with Workspace.open(root, encoder=encoder, cache_dir=cache) as opened:
        opened.refresh()
        yield opened


@pytest.mark.parametrize("row", INSTALLED, ids=lambda row: row.path)
def test_a_file_has_the_definitions_of_the_table(row: Row) -> None:
    chunks = chunk_file(row.path, row.text)
    assert {chunk.language for chunk in chunks} == {row.language}
    symbols = [symbol for chunk in chunks for symbol in chunk.symbols]
    shown = [f"{s.kind} {s.scope + '.' if s.scope else ''}{s.name} {s.start_line}-{s.end_line}" for s in symbols]
    assert shown == row.symbols


def test_the_table_says_how_each_language_is_cut() -> None:
    method_of = {method.language: method.method for method in methods()}
    assert {row.path: row.method for row in INSTALLED} == {row.path: method_of[row.language] for row in INSTALLED}


def test_the_table_has_every_grammar_and_at_least_sixty_languages() -> None:
    languages = {row.language for row in ROWS}
    assert len(languages) >= 60
    assert GRAMMARS.keys() - languages == {"html"}  # it defines nothing: its scripts and styles do
    assert {path.relative_to(FILES).as_posix() for path in FILES.rglob("*") if path.is_file()} == {
        row.path for row in ROWS
    }


@pytest.mark.parametrize("row", INSTALLED, ids=lambda row: row.path)
def test_a_name_finds_its_definition_first(row: Row, workspace: Workspace) -> None:
    wrong = {}
    for _, name, lines in names([row]):
        hits = workspace.search(SearchRequest(name, limit=1)).hits
        first, last = map(int, lines.split("-"))
        if not hits or hits[0].chunk.path != row.path or not hits[0].start_line <= first <= last <= hits[0].end_line:
            wrong[name] = [(hit.chunk.path, hit.chunk.symbol, hit.start_line, hit.end_line) for hit in hits]
    assert not wrong


@pytest.mark.parametrize("row", [row for row in INSTALLED if row.questions], ids=lambda row: row.path)
def test_a_question_finds_its_answer_first(row: Row, workspace: Workspace) -> None:
    for question, answer in row.questions:
        (hit,) = workspace.search(SearchRequest(question, limit=1)).hits
        assert hit.chunk.path == row.path
        spans = [symbol.rpartition(" ")[2] for symbol in row.symbols if symbol.split(" ", 1)[1].startswith(answer)]
        assert not spans or any(
            hit.start_line <= int(last) and int(first) <= hit.end_line
            for first, last in (span.split("-") for span in spans)
        )


def test_the_page_on_languages_shows_the_table() -> None:
    shown = DOCS.read_text(encoding="utf-8").partition("<!-- table -->\n")[2].partition("\n<!-- end -->")[0]
    assert shown == page()
