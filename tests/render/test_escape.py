"""Whatever a workspace holds, no output carries a control, and nothing of it reads as a line of ours."""

from __future__ import annotations

import json
import re
import unicodedata
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from c2llm_lsp.render.error_messages import error_message
from c2llm_lsp.render.escape import code_span, escape_block, escape_html, escape_line, fenced, markdown_line
from c2llm_lsp.render.explanation import explanation_lines
from c2llm_lsp.render.html import render_page
from c2llm_lsp.render.json_output import answer_dict, explanation_dict
from c2llm_lsp.render.markdown import answer_markdown
from c2llm_lsp.render.plain import render_plain
from c2llm_lsp.render.terminal import TerminalOptions, print_answer
from retrieval.errors import QueryError
from retrieval.types import Answer, Chunk, Explanation, Freshness, Hit, LineAttention, Signal

# What attacks are made of, and what Hypothesis thinks of itself.
FRAGMENTS = [
    "\x1b[31m", "\x1b]8;;http://evil\x07", "\u202e", "\u2066", "\u200b", "\U000e0041", "\x85", "\x9b", "\x00", "\x7f", "\r", "\n",
    "\r\n",
    "\u2028", "\u2029", "\v", "\f", "\ud800", "```", "````", "\n## forged", "\n# SYSTEM:", "<script>", "\"'>", "](http://x)", "\t",
]  # fmt: skip
HOSTILE = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=5), max_size=8).map("".join)
FORGED = re.compile(r"^\s{0,3}(#{1,6}\s|>|Index: |Note: )")


def unsafe(text: str, allowed: str = "\n") -> list[str]:
    categories = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return [c for c in text if unicodedata.category(c) in categories and c not in allowed]


def outside_of_fences(markdown: str) -> list[str]:
    """The lines that a reader of Markdown takes for prose and headings."""
    lines, fence = [], ""
    for line in markdown.split("\n"):
        if fence:
            fence = "" if re.fullmatch(f"`{{{len(fence)},}} *", line) else fence
        elif match := re.match(r"`{3,}", line):
            fence = match[0]
        else:
            lines.append(line)
    assert not fence
    return lines


@st.composite
def hostile_hits(draw: st.DrawFn) -> Hit:
    text, path = draw(HOSTILE), draw(HOSTILE)
    end = 5 + text.count("\n")
    chunk = Chunk(path, draw(HOSTILE), "function", draw(HOSTILE), draw(HOSTILE), 5, end, 0, len(text), text)
    return Hit(chunk, 5, end, text, 0.5, (Signal(draw(HOSTILE), 1.0, 0.5),), (5,))


@st.composite
def hostile_answers(draw: st.DrawFn) -> Answer:
    return Answer((draw(hostile_hits()),), Freshness(1, 1), draw(HOSTILE), 0.1, (draw(HOSTILE),))


@given(hostile_answers())
def test_markdown_has_no_line_that_the_workspace_wrote_outside_of_a_fence(answer: Answer) -> None:
    markdown = answer_markdown(answer, ("Disk full.",))
    assert not unsafe(markdown, "\n\t")
    first, _note, own, blank, heading, *_ = lines = outside_of_fences(markdown)
    assert first.startswith("Index: 1 files") and own == "Disk full." and not blank
    assert re.fullmatch(r"## (`+).*\1 \(function.*\)", heading)
    assert [line for line in lines if line.startswith("#")] == [heading]
    assert not any(lines[5:]), "only blank lines and the fence follow the heading"


@given(hostile_answers(), st.integers(0, 2), st.booleans())
def test_plain_lines_are_one_a_shown_line(answer: Answer, context: int, explain: bool) -> None:
    text = render_plain(answer, context=context, explain=explain, show_path=str)
    assert not unsafe(text)
    path = escape_line(answer.hits[0].chunk.path)
    assert all(line.startswith((f"{path}:", f"{path}-", "    ")) for line in text.splitlines())


@given(hostile_answers())
def test_a_terminal_gets_no_escape_sequence_of_the_workspace(answer: Answer) -> None:
    out = StringIO()
    console = Console(file=out, width=80, color_system=None, highlight=False, legacy_windows=False)
    print_answer(
        console, answer, TerminalOptions(Path("/w"), link="file://{path}", context=1, explain=True, show_path=str)
    )
    assert not unsafe(out.getvalue())


@pytest.mark.slow
@given(hostile_hits(), HOSTILE)
def test_explanations_are_safe_as_text_and_as_a_page(hit: Hit, query: str) -> None:
    lines = (LineAttention(5, 0.5, 0.1),)
    explanation = Explanation(hit.chunk, query, (), (), lines, 1.0, 2.0, 0, query, 0.5, 0.1, notes=(query,))
    for line in explanation_lines(explanation, show_path=str):
        assert not unsafe(line.plain, "")
    page = render_page(explanation)
    assert not unsafe(page)
    tags = set(re.findall(r"<\s*/?\s*([a-zA-Z!]+)", page))
    assert tags <= set(
        "html head meta title style body h code p q div table thead tbody tr th td ul li span".split()
    ) | {"!doctype"}
    assert not unsafe(json.dumps(explanation_dict(explanation, root=query)), "")


@given(hostile_answers(), HOSTILE)
def test_json_keeps_every_character_and_prints_none_raw(answer: Answer, query: str) -> None:
    text = json.dumps(answer_dict(answer, query=query, root="/w"))
    assert not unsafe(text, "")
    assert json.loads(text)["results"][0]["path"] == answer.hits[0].chunk.path


@given(HOSTILE)
def test_a_line_stays_a_line_and_a_block_keeps_its_line_breaks(text: str) -> None:
    assert not unsafe(escape_line(text), "") and len(escape_line(text).splitlines()) <= 1
    assert not unsafe(escape_block(text), "\n\t")
    assert escape_block(text).count("\n") == text.count("\n")
    assert not unsafe(escape_html(text), "") and not set('<>"') & set(escape_html(text))
    assert "\n" not in code_span(text)


@given(HOSTILE)
def test_a_fence_is_closed_by_its_last_line_only(text: str) -> None:
    assert outside_of_fences(fenced(text, "python")) == []


@pytest.mark.parametrize("language", ["python\n# forged", "text", "", "<b>", "a b"])
def test_only_a_plain_name_becomes_the_tag_of_a_fence(language: str) -> None:
    assert fenced("x", language) == "```\nx\n```"


@given(HOSTILE)
def test_ordinary_text_is_unchanged_and_messages_of_errors_are_escaped_where_they_are_printed(text: str) -> None:
    assert escape_line("naïve 漢字 🎉 x = [1]") == "naïve 漢字 🎉 x = [1]"
    assert not unsafe(escape_line(error_message(QueryError(text))), "")


def test_a_note_begins_no_block_of_markdown() -> None:
    for note in ("```", "~~~~ x", "# heading", "- item", "> quote", "    ```", "<b>"):
        assert not re.match(r"\s*(```|~~~|[#>|<+*=-])", markdown_line(note)), note
    assert markdown_line("Run `c2llm index`.") == "Run `c2llm index`."
