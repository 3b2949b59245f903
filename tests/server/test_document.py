"""The text of a document under edits, and columns in three encodings, against the plain string."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol.types import (
    Position,
    Range,
    TextDocumentContentChangePartial,
    TextDocumentContentChangeWholeDocument,
)

from c2llm_lsp.server.text.document import Document
from c2llm_lsp.server.text.positions import Encoding, split_lines, whole_lines

ENCODINGS = [Encoding(name) for name in ("utf-8", "utf-16", "utf-32")]
PIECES = ["a", "b ", "\n", "\r", "\r\n", "é", "😀", "\u2028", "\x0c", "\x85", "\t", "日本", "\U0010ffff"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


def place(text: str, at: int, encoding: Encoding) -> Position:
    """The position of a code point of a text, by counting."""
    before = split_lines(text[:at])
    if text[:at].endswith("\r") and text[at:].startswith("\n"):
        return place(text, at - 1, encoding)  # no position lies within a line's end
    name, width = BYTES[encoding.name]
    return Position(len(before) - 1, len(before[-1].encode(name)) // width)


BYTES = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


def within(text: str, at: int) -> int:
    """The same, moved out of a "\\r\\n"."""
    return at - 1 if text[:at].endswith("\r") and text[at:].startswith("\n") else at


@given(TEXTS)
def test_lines_end_where_the_protocol_says_and_nowhere_else(text: str) -> None:
    lines = split_lines(text)
    assert "".join(lines) == text
    assert not lines[-1].endswith(("\r", "\n"))
    for line, following in pairwise(lines):
        body = line[:-2] if line.endswith("\r\n") else line[:-1]
        assert not set(body) & {"\r", "\n"}
        assert not (line.endswith("\r") and following.startswith("\n"))


@given(st.sampled_from(ENCODINGS), TEXTS, st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), TEXTS), max_size=6))
def test_edits_do_to_the_document_what_they_do_to_a_string(
    encoding: Encoding, text: str, edits: list[tuple[float, float, str]]
) -> None:
    document = Document("u", "", 0, text, encoding)
    for version, (first, second, new) in enumerate(edits):
        start, end = sorted(within(text, round(part * len(text))) for part in (first, second))
        span = Range(place(text, start, encoding), place(text, end, encoding))
        assert document.between(span) == text[start:end]
        document.apply(version, [TextDocumentContentChangePartial(range=span, text=new)])
        text = text[:start] + new + text[end:]
        assert document.text == text
        assert list(document.lines) == split_lines(text)
        assert document.version == version


@given(st.sampled_from(ENCODINGS), TEXTS)
def test_a_column_and_its_code_point_are_each_others_inverse(encoding: Encoding, text: str) -> None:
    line = split_lines(text)[0]
    body = line.rstrip("\r\n")
    for at in range(len(body) + 1):
        assert encoding.index(line, encoding.units(body[:at])) == at


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda encoding: encoding.name)
def test_a_column_within_a_character_is_that_characters(encoding: Encoding) -> None:
    width = encoding.units("😀")
    assert {encoding.index("a😀b", 1 + part) for part in range(width)} == {1}
    assert encoding.index("a😀b", 1 + width) == 2


@pytest.mark.parametrize("line", ["", "\n", "😀\r\n", "plain\r"])
@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda encoding: encoding.name)
def test_columns_beyond_a_line_are_its_end_before_the_line_end(encoding: Encoding, line: str) -> None:
    assert encoding.index(line, 2**31 - 1) == len(line.rstrip("\r\n"))
    assert encoding.index(line, -1) == 0


def test_a_whole_text_replaces_everything_between_two_edits() -> None:
    document = Document("u", "", 0, "old\n", Encoding())
    start = Position(0, 0)
    document.apply(
        3,
        [
            TextDocumentContentChangePartial(range=Range(start, Position(0, 3)), text="older"),
            TextDocumentContentChangeWholeDocument(text="new\r\ntext"),
            TextDocumentContentChangePartial(range=Range(Position(1, 0), Position(1, 4)), text="😀"),
        ],
    )
    assert document.text == "new\r\n😀"
    assert document.version == 3


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda encoding: encoding.name)
def test_ranges_of_whole_lines_end_behind_the_last_character(encoding: Encoding) -> None:
    found = whole_lines(3, 5, "x = '😀'\r\n", encoding)
    assert (found.start, found.end) == (Position(2, 0), Position(4, encoding.units("x = '😀'")))
