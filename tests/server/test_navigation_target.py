"""Where a jump lands: code is given with the place as «name to end», and lines that speak for the hit as numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from c2llm_lsp.server.handlers.results import selection_range
from c2llm_lsp.server.protocol import Range
from c2llm_lsp.server.text.navigation_target import NavigationTarget, navigation_target
from c2llm_lsp.server.text.positions import Encoding
from retrieval.chunking import chunk_file
from retrieval.types import Chunk, Hit

AFTER = 10  # lines before the chunk


def hit(symbol: str, text: str, *salient: int) -> Hit:
    """`salient` counts from 0 in the text."""
    lines = len(text.splitlines())
    chunk = Chunk("app.py", "python", "function", symbol, "", AFTER + 1, AFTER + lines, 0, 0, text)
    at = tuple(AFTER + 1 + line for line in salient)
    return Hit(chunk, chunk.start_line, chunk.end_line, text, 1.0, salient_lines=at)


def select(found: Hit, encoding: Encoding) -> Range:
    return selection_range(found, navigation_target(found), encoding)


def check(symbol: str, marked: str, *salient: int, encoding: str = "utf-16") -> NavigationTarget:
    """The selection begins where «marked» does and ends at the end of the text."""
    text = marked.replace("«", "")
    before = marked.partition("«")[0]
    found = select(hit(symbol, text, *salient), units := Encoding(encoding))
    assert found.start.line == AFTER + before.count("\n")
    assert found.start.character == units.units(before.rpartition("\n")[2])
    assert found.end.line == AFTER + text.count("\n")
    assert found.end.character == units.units(text.rpartition("\n")[2])
    return navigation_target(hit(symbol, text, *salient))


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


def test_lines_that_speak_for_a_later_definition_choose_it() -> None:
    code = "class Invoice:\n    total = 1\n\n\n«def shrink(picture):\n    return picture.small()"
    assert check("Invoice", code, 4, 5).name == "def shrink(picture):"


def test_lines_within_the_named_definition_leave_its_name() -> None:
    code = "class «Invoice:\n    total = 1\n\n\ndef shrink(picture):\n    return picture.small()"
    assert check("Invoice", code, 1).name == "Invoice"


def test_as_many_lines_here_as_there_choose_the_first() -> None:
    check("Invoice", "class «Invoice:\n    total = 1\n\n\ndef shrink(picture):\n    return picture.small()", 1, 5)


def test_what_is_said_before_a_definition_belongs_to_it() -> None:
    code = "fn a() {\n    b();\n}\n\n/// Makes it smaller.\n#[inline]\n«fn shrink() {\n    c();\n}"
    assert check("a", code, 4).name == "fn shrink() {"


def test_a_brace_on_a_line_of_its_own_is_no_definition() -> None:
    assert check("a", "int a()\n{\n  return 1;\n}\n«int shrink()\n{\n  return 2;\n}", 6).name == "int shrink()"


def test_members_of_what_is_indented_count_from_its_own_depth() -> None:
    code = "    def «first(self):\n        return 1\n\n    def second(self):\n        return 2"
    assert check("first", code, 0).name == "first"
    assert (
        check("first", code.replace("«", "").replace("    def second", "    «def second"), 4).name
        == "def second(self):"
    )


def test_the_second_heading_of_a_section_is_where_its_text_is() -> None:
    text = "# Shop\n\n## Fruit\n\nBananas."
    found = hit("Shop", text, 2, 4)
    assert navigation_target(replace(found, chunk=replace(found.chunk, kind="section"))).name == "## Fruit"


def test_code_without_a_name_is_entered_at_the_statement_that_speaks_for_it() -> None:
    assert check("", "import a\n\n«RATES = {\n    1: 2,\n}", 3).name == ""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_columns_count_in_the_clients_units(encoding: str) -> None:
    check("ünïcode", "\t/* 🎉 */ int «ünïcode = 'é🎉';", encoding=encoding)


def test_line_ends_of_windows_are_no_columns() -> None:
    found = select(hit("total", "def total():\r\n    return 1\r\n"[:-2]), Encoding())
    assert (found.end.line, found.end.character) == (AFTER + 1, len("    return 1"))


def test_lone_carriage_returns_end_lines_to_the_client_and_to_the_index() -> None:
    text = "a = 1\rb = 2\r\n\rdef total():\r    return 1\r"
    (found,) = chunk_file("app.py", text)
    assert (found.start_line, found.end_line) == (1, 5)
    at = select(Hit(replace(found, symbol="total"), 1, 5, text, 1.0), Encoding())
    assert (at.start.line, at.start.character) == (3, len("def "))
    assert (at.end.line, at.end.character) == (4, len("    return 1"))
