"""Hits as lines of text: what is shown, what is marked, and what a hostile file cannot do to a terminal."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from c2llm_lsp.render.escape import escape_line
from c2llm_lsp.render.freshness import answer_notes
from c2llm_lsp.render.plain import render_plain
from c2llm_lsp.render.snippet import MAX_SALIENT, anchor_line, hit_lines, snippet_lines
from c2llm_lsp.render.terminal import TerminalOptions, link_target, print_answer
from retrieval.types import Answer, Chunk, Freshness, Hit, Signal

CODE = """@cached
def apply_rules(path):
    # an émoji 🎉 in a comment
    for rule in ignored(path):
        return rule


    text = '''
    many lines
    '''
"""


def hit(
    text: str = CODE,
    *,
    path: str = "src/rules.py",
    symbol: str = "apply_rules",
    salient: tuple[int, ...] = (),
    terms: tuple[str, ...] = ("ignor", "rul"),
) -> Hit:
    text = text.removesuffix("\n")
    end = 10 + text.count("\n")
    chunk = Chunk(path, "python", "function", symbol, "Rules", 10, end, 0, len(text), text)
    return Hit(chunk, 10, end, text, 0.5, (Signal("meaning", 0.25, 0.5),), salient, terms)


def answer(*hits: Hit) -> Answer:
    return Answer(hits, Freshness(1, 1), "overlap", 0.001)


def on_screen(*hits: Hit, color: str | None = None, width: int = 80) -> str:
    out = StringIO()
    console = Console(file=out, width=width, force_terminal=color is not None, color_system=color, highlight=False)  # type: ignore[arg-type]
    print_answer(
        console,
        answer(*hits),
        TerminalOptions(Path("/w"), link="file://{path}", context=0, explain=True, show_path=str),
    )
    return out.getvalue()


def test_the_definition_stands_for_the_hit() -> None:
    assert anchor_line(hit()) == 11
    assert anchor_line(hit(symbol="", terms=("com",))) == 12
    assert anchor_line(hit(symbol="", salient=(14,))) == 14
    assert anchor_line(hit("\n\n", symbol="")) == 10


def test_few_lines_are_shown_and_blank_ones_are_not() -> None:
    numbers = snippet_lines(hit(salient=(13, 14, 15, 16, 17), terms=("ignor", "rul")))
    assert len(numbers) == MAX_SALIENT
    assert numbers == sorted(numbers)
    assert 15 not in numbers


def test_context_stays_inside_the_hit() -> None:
    assert snippet_lines(hit(), context=500) == list(range(10, 20))


def test_only_newlines_end_lines() -> None:
    lines = hit_lines(hit("a\x0cb\r\nc\u2028d"))
    assert lines == {10: "a\x0cb", 11: "c\u2028d"}


@given(st.text())
def test_clean_text_cannot_command_a_terminal(text: str) -> None:
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066\u200b" for c in escape_line(text))


@given(st.text(), st.text())
def test_any_text_can_be_shown(text: str, term: str) -> None:
    one = hit(text, symbol="", terms=(term,))
    assert render_plain(answer(one), context=1, explain=True, show_path=str)
    assert on_screen(one)


def test_a_pipe_gets_what_grep_would_write() -> None:
    assert (
        render_plain(answer(hit()), context=0, explain=False, show_path=str)
        == "src/rules.py:11: def apply_rules(path):\n"
    )


def test_with_context_other_lines_are_told_apart_as_grep_does() -> None:
    text = render_plain(answer(hit(terms=()), hit(terms=())), context=1, explain=False, show_path=str)
    assert text.splitlines()[:4] == [
        "src/rules.py-10- @cached",
        "src/rules.py:11: def apply_rules(path):",
        "src/rules.py-12-     # an émoji 🎉 in a comment",
        "--",
    ]


def test_a_terminal_gets_heading_lines_and_explanation() -> None:
    text = on_screen(hit())
    assert "src/rules.py:10-19  Rules.apply_rules  function  0.500" in text
    assert "  11 def apply_rules(path):" in text
    assert "⋮" in text
    assert "meaning" in text and "+0.5000" in text


def test_colours_and_links_are_there_where_the_terminal_has_them() -> None:
    text = on_screen(hit(), color="standard")
    assert "\x1b]8;" in text
    assert "file:///w/src/rules.py" in text
    assert "\x1b[1;4" in text or ";4m" in text  # the matched word


def test_long_lines_are_cut_at_the_edge() -> None:
    rows = on_screen(hit("x = '" + "word " * 300 + "'", symbol=""), width=60).splitlines()
    assert all(len(row) <= 60 for row in rows[1:2])


@pytest.mark.parametrize("path", ["a\x1b]0;owned\x07.py", "a\nb.py", "a [bold] b.py", "a\udcffb.py"])
def test_no_file_name_ends_the_link_or_the_line(path: str) -> None:
    text = on_screen(hit(path=path), color="standard")
    assert "\x07" not in text and "\x1b]0" not in text
    line = render_plain(answer(hit(path=path)), context=0, explain=False, show_path=str)
    assert line.count("\n") == 1 and "\x1b" not in line


def test_links_are_encoded_and_can_be_an_editors() -> None:
    assert link_target("file://{path}", Path("/w/a b;\x1b.py"), 3) == "file:///w/a%20b%3B%1B.py"
    assert link_target("vscode://file{path}:{line}", Path("/w/a.py"), 3) == "vscode://file/w/a.py:3"
    assert link_target("", Path("/w/a.py"), 3) == ""


def test_what_is_pending_is_said() -> None:
    fresh = Freshness(5, 50, pending_files=1, pending_chunks=1200, stale=True)
    said = answer_notes(Answer((), fresh, "", 0.0, ("A note.",)))
    assert said[:3] == ["A note.", "1 file not indexed yet.", "1,200 chunks without vectors yet (keyword search only)."]
    assert "c2llm index" in said[3]
