"""Where a symbol's name is, for jumps that land on it: code is given with the place as «name to end»."""

from __future__ import annotations

from dataclasses import replace

import pytest

from c2llm_lsp.server.messages.common import selection
from c2llm_lsp.server.positions import Encoding
from retrieval.chunking import chunk_file
from retrieval.types import Chunk

AFTER = 10  # lines before the chunk


def chunk(symbol: str, text: str) -> Chunk:
    lines = len(text.splitlines())
    return Chunk("app.py", "python", "function", symbol, "", AFTER + 1, AFTER + lines, 0, 0, text)


def check(symbol: str, marked: str, encoding: str = "utf-16") -> None:
    """The selection begins where «marked» does and ends at the end of the text."""
    text = marked.replace("«", "")
    before = marked.partition("«")[0]
    found = selection(chunk(symbol, text), units := Encoding(encoding))
    assert found.start.line == AFTER + before.count("\n")
    assert found.start.character == units.units(before.rpartition("\n")[2])
    assert found.end.line == AFTER + text.count("\n")
    assert found.end.character == units.units(text.rpartition("\n")[2])


def test_decorators_are_passed_over() -> None:
    check("resize", "@cached\n@timed\ndef «resize(image):\n    return image")


def test_a_comment_that_talks_about_the_name_is_passed_over() -> None:
    check("Push", "// Push adds a job.\nfunc (q *Queue) «Push(job Job) {\n}")


def test_a_heading_is_where_its_name_is() -> None:
    check("Billing", "## «Billing\n\nInvoices are sent monthly.")


def test_a_longer_name_that_contains_it_is_another_name() -> None:
    check("push", "pushed = 1\npush_all()\ndef «push():\n    pass")


def test_code_without_a_name_is_meant_from_its_start() -> None:
    check("", "«for x in y:\n    print(x)")


def test_a_name_that_is_not_written_in_the_code_means_its_start() -> None:
    check("Group", "«x = 1\ny = 2")


def test_a_name_with_signs_of_regular_expressions_is_taken_as_it_is() -> None:
    check("operator+", "int «operator+(int a);")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_columns_count_in_the_clients_units(encoding: str) -> None:
    check("ünïcode", "\t/* 🎉 */ int «ünïcode = 'é🎉';", encoding)


def test_line_ends_of_windows_are_no_columns() -> None:
    found = selection(chunk("total", "def total():\r\n    return 1\r\n"[:-2]), Encoding())
    assert (found.end.line, found.end.character) == (AFTER + 1, len("    return 1"))


def test_lone_carriage_returns_end_lines_to_the_client_and_to_the_index() -> None:
    text = "a = 1\rb = 2\r\n\rdef total():\r    return 1\r"
    (found,) = chunk_file("app.py", text)
    assert (found.start_line, found.end_line) == (1, 5)
    at = selection(replace(found, symbol="total"), Encoding())
    assert (at.start.line, at.start.character) == (3, len("def "))
    assert (at.end.line, at.end.character) == (4, len("    return 1"))
