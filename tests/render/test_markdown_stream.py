"""Markdown in pieces: blocks are complete, and the work grows with the text."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.markdown import Markdown

from c2llm_lsp.render import markdown_stream
from c2llm_lsp.render.markdown_stream import MAX_BLOCK_CHARS, Blocks, MarkdownStream


def cut(text: str, size: int) -> list[str]:
    blocks = Blocks()
    parts = [blocks.add(text[start : start + size]) for start in range(0, len(text), size)]
    return [part for part in (*parts, blocks.pending) if part]


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_a_block_ends_at_a_blank_line_outside_a_fence(size: int) -> None:
    parts = cut("a\nb\n\n```py\nx\n\ny\n```\n\n~~~\n\n```\n~~~\n\nlast", size)
    assert "".join(parts) == "a\nb\n\n```py\nx\n\ny\n```\n\n~~~\n\n```\n~~~\n\nlast"
    if size == 1:
        assert parts == ["a\nb\n\n", "```py\nx\n\ny\n```\n\n", "~~~\n\n```\n~~~\n\n", "last"]


@pytest.mark.parametrize("text", ["a" * 100_000, "line\n" * 20_000, "`" * 100_000, "> " * 50_000])
def test_a_block_that_does_not_end_is_cut(text: str) -> None:
    parts = cut(text, 100)
    assert max(map(len, parts)) < 2 * MAX_BLOCK_CHARS
    assert "".join(parts) == text


def test_a_long_fence_goes_on_as_a_fence() -> None:
    parts = cut("```py\n" + "x = 1\n" * 10_000 + "```\n\nend", 100)
    assert all(part.startswith("```py\n") and part.rstrip().endswith("```") for part in parts[:-1])
    assert parts[-1] == "end"
    assert "".join(parts).count("x = 1\n") == 10_000


def test_it_is_not_read_at_each_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    class Counting(Markdown):
        def __init__(self, markup: str, **options: object) -> None:
            read.append(len(markup))
            super().__init__("")

    monkeypatch.setattr(markdown_stream, "Markdown", Counting)
    monkeypatch.setattr(markdown_stream, "REDRAWS_PER_SECOND", 0.001)
    with MarkdownStream(Console(file=io.StringIO(), force_terminal=True), "default") as stream:
        for _ in range(30_000):
            stream.write("ab")
    assert sum(read) < 10 * 60_000
