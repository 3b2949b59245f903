"""What holds of a file in every language, whatever ends its lines and whatever its comments and texts hold."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval.chunking import chunk_file
from retrieval.chunking.line_index import lines_of
from retrieval.files import decode
from retrieval.types import Chunk
from tests.languages.table import Row, rows

ROWS = rows()
EMOJI = "\U0001f9ed"
# A tab is no indentation in them, or as wide as eight spaces.
WITHOUT_TABS = frozenset({"elm", "haskell", "fsharp", "nim", "yaml", "markdown", "rst", "python", "cython"})


def outline(chunks: list[Chunk]) -> list[tuple[object, ...]]:
    """Chunks and definitions by their lines."""
    return [
        (chunk.language, chunk.kind, chunk.symbol, chunk.scope, chunk.start_line, chunk.end_line, chunk.symbols)
        for chunk in chunks
    ]


def assert_lines_are_in_one_chunk(text: str, chunks: list[Chunk]) -> None:
    lines = lines_of(text)
    held = [line for chunk in chunks for line in range(chunk.start_line, chunk.end_line + 1)]
    assert len(held) == len(set(held))
    assert {number for number, line in enumerate(lines, 1) if line.strip(" \t\f\v\x00\x1c\x1d\x1e\x1f")} <= {*held}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.path)
def test_every_line_is_in_one_chunk_and_every_name_in_its_lines(row: Row) -> None:
    path, text = row.path, row.text
    chunks = chunk_file(path, text)
    assert_lines_are_in_one_chunk(text, chunks)
    lines = lines_of(text)
    for chunk in chunks:
        for symbol in chunk.symbols:
            assert chunk.start_line <= symbol.start_line <= symbol.end_line <= chunk.end_line
            span = "\n".join(lines[symbol.start_line - 1 : symbol.end_line])
            assert symbol.name.rpartition(".")[2] in span


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.path)
def test_line_breaks_a_mark_tabs_and_emoji_change_nothing(row: Row) -> None:
    path, text = row.path, row.text
    expected = outline(chunk_file(path, text))
    assert outline(chunk_file(path, text.replace("\n", "\r\n"))) == expected
    assert outline(chunk_file(path, text.removesuffix("\n"))) == expected
    assert outline(chunk_file(path, decode(("\ufeff" + text).encode()) or "")) == expected
    lines = text.split("\n")
    if row.language not in WITHOUT_TABS:
        assert outline(chunk_file(path, "\n".join(map(_with_tabs, lines)))) == expected
    if row.language not in ("markdown", "rst"):  # a title is a name
        with_emoji = [line[:-4] + EMOJI if _is_comment(line) else line for line in lines]  # as many bytes as before
        assert outline(chunk_file(path, "\n".join(with_emoji))) == expected


# A definition alone is no file of its own in them.
PART_OF_A_FILE = frozenset({"nix", "php"})


@pytest.mark.parametrize("row", [row for row in ROWS if row.language not in PART_OF_A_FILE], ids=lambda row: row.path)
def test_a_file_of_one_definition_has_its_name(row: Row) -> None:
    lines = row.text.split("\n")
    end = 0
    for kind, name, span in (symbol.split(" ") for symbol in row.symbols if symbol.count(" ") == 2):
        first, last = map(int, span.split("-"))
        if kind == "block" or first <= end:
            continue  # a part of the one before
        end = last
        chunks = chunk_file(row.path, "\n".join(lines[first - 1 : last]) + "\n")
        assert {symbol.name for chunk in chunks for symbol in chunk.symbols} & {name, name.rpartition(".")[2]}


def _with_tabs(line: str) -> str:
    bare = line.lstrip(" ")
    width = len(line) - len(bare)
    return "\t" * (width // 4) + " " * (width % 4) + bare


def _is_comment(line: str) -> bool:
    """A line of prose in a comment: one that closes none."""
    bare = line.strip()
    return (
        bare.startswith(("//", "# ", "--  ", "-- ", "% ", ";; ", "!  ", "! "))
        and bare[-4:-1].isalpha()
        and len(bare) > 12
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_pieces_of_files_keep_each_line_in_one_chunk(data: st.DataObject) -> None:
    row, other = data.draw(st.sampled_from(ROWS)), data.draw(st.sampled_from(ROWS))
    lines = row.text.split("\n")
    start, end = sorted((data.draw(st.integers(0, len(lines))), data.draw(st.integers(0, len(lines)))))
    broken = data.draw(st.sampled_from(["\n", "\r\n", "\r"])).join(
        [
            *lines[:start],
            data.draw(st.sampled_from(["", "\t", EMOJI, "\x00", '"""', "/*", "{", "}", "\ufeff"])),
            *lines[end:],
        ]
    )
    path = data.draw(st.sampled_from([row.path, other.path]))
    chunks = chunk_file(path, broken)
    if all(chunk.language != "notebook" for chunk in chunks):
        assert_lines_are_in_one_chunk(broken, chunks)
    assert outline(chunk_file(path, broken)) == outline(chunks)
