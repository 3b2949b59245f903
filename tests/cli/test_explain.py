"""`c2llm explain`: the heat-map in a terminal, in a pipe, as a page and as JSON."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from c2llm_lsp.render.explanation import explanation_lines
from c2llm_lsp.render.heat import HEAT_THRESHOLDS, heat_rows, summary, top_words
from c2llm_lsp.render.html import render_page
from retrieval.types import Chunk, Explanation, HeaderAttention, LineAttention, TokenAttention, WordMatch
from tests.cli.program import Program, lay_out

CODE = "def send(letter):\n\n    stamp(letter)  # 🎉\n\tpost(letter)"


def look(word: str, weight: float, *, after: int = 0) -> TokenAttention:
    start = CODE.index(word, after)
    row = CODE[:start].count("\n")
    column = start - (CODE.rfind("\n", 0, start) + 1)
    return TokenAttention(start, start + len(word), 10 + row, column, 10 + row, column + len(word), weight)


def explanation(path: str = "post.py", text: str = CODE, **more: object) -> Explanation:
    chunk = Chunk(path, "python", "function", "send", "Post", 10, 10 + text.count("\n"), 0, 0, text)
    values: dict[str, object] = {
        "tokens": (look("send", 0.4), look("stamp", 0.05), look("🎉", 0.05), look("post", 0.3)),
        "header": (HeaderAttention("post", 0.2),),
        "lines": (LineAttention(10, 0.4, 0.02), LineAttention(12, 0.1, -0.01), LineAttention(13, 0.3, 0.3)),
        "query": "post a letter",
        "similarity": 0.5,
        "header_effect": 0.1,
        "words": (WordMatch("post", 4.0, True, True, (13,)), WordMatch("pigeon", 9.0, False, False, ())),
        "entropy": 2.0,
        "uniform": 2.3,
        "unread_from": 0,
        **more,
    }
    return Explanation(chunk=chunk, encoder="embedded", **values)  # type: ignore[arg-type]


def plain(one: Explanation) -> list[str]:
    return [line.plain for line in explanation_lines(one, show_path=str)]


def test_rows_hold_the_whole_text_and_the_heat_of_its_tokens() -> None:
    rows = heat_rows(explanation())
    assert ["".join(part.text for part in row.spans) for row in rows] == CODE.split("\n")
    assert [row.line for row in rows] == [10, 11, 12, 13]
    heats = {part.text: part.heat for row in rows for part in row.spans if part.weight}
    assert heats == {"send": 2, "stamp": 0, "🎉": 0, "post": 1}
    assert max(row.bar for row in rows) == 1.0


def test_the_pipe_gets_shares_and_effects_as_numbers() -> None:
    lines = plain(explanation())
    assert lines[:2] == ["post.py:10-13  Post.send  function  embedded", 'for "post a letter"']
    assert re.fullmatch(r"  10 █████ +40\.0%  \+0\.020  def send\(letter\):", lines[3])
    assert lines[4].strip() == "11"
    assert re.fullmatch(r"  13 ███▊ +30\.0%  \+0\.300      post\(letter\)", lines[6])
    assert not any("\x1b" in line for line in lines)


def test_what_the_numbers_say_is_said() -> None:
    said = " ".join(summary(explanation(unread_from=13)))
    for part in (
        "0.500",
        "it would be 0.400",
        "take 20%",
        "send 40.0%",
        "before line 13",
        "'post'",
        "name, path, line 13",
        "'pigeon' (rarity 9.0): nowhere",
    ):
        assert part in said, part


def test_without_attention_or_query_their_columns_are_gone() -> None:
    bare = explanation(
        tokens=(),
        header=(),
        query="",
        similarity=None,
        words=(),
        lines=(LineAttention(10, 0.0), LineAttention(12, 0.0), LineAttention(13, 0.0)),
    )
    assert plain(bare)[2] == "  10   def send(letter):"
    assert "<th>looks</th>" not in render_page(bare) and "<th>effect</th>" not in render_page(bare)


def test_the_same_word_counts_once_with_all_its_places() -> None:
    both = explanation(tokens=(look("letter", 0.2), look("letter", 0.3, after=20)))
    assert top_words(both) == [("letter", pytest.approx(0.5))]


class Page(HTMLParser):
    """Tags and text of a page."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


HOSTILE = "</td><script>alert(1)</script> '\" onload=x <img src=http://x> &amp; \x1b[31m"


def test_nothing_in_a_page_runs_or_is_fetched() -> None:
    one = explanation(
        path=HOSTILE, text=HOSTILE, tokens=(), query=HOSTILE, lines=(LineAttention(10, 0.0, 0.1),), notes=(HOSTILE,)
    )
    document = render_page(one)
    parsed = Page(document)
    assert {tag for tag, _ in parsed.tags} <= set(
        "html head meta title style body h1 code p q div table thead tr th tbody td span ul li".split()
    )
    assert all(not name.startswith("on") and name not in ("src", "href") for _, attrs in parsed.tags for name in attrs)
    assert "default-src 'none'" in document and "\x1b" not in document
    assert parsed.text.count("<script>alert(1)</script>") >= 4


def test_a_page_shows_the_code_and_each_heat() -> None:
    parsed = Page(
        render_page(
            explanation(
                tokens=tuple(look(word, weight) for word, weight in (("send", 0.9), ("stamp", 0.5), ("post", 0.35)))
            )
        )
    )
    classes = {attrs.get("class") for tag, attrs in parsed.tags if tag == "span"}
    assert {f"h{n}" for n in range(1, len(HEAT_THRESHOLDS) + 1)} <= classes
    assert "post(letter)" in parsed.text and "+0.300" in parsed.text


LETTERS = {
    "post.py": '''class Post:
    def send(self, letter):
        """Bring a letter to its address."""
        self.carrier.deliver(letter)
        return letter
'''
}


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "letters", LETTERS)


def test_a_pipe_gets_plain_lines(c2llm: Program, letters: Path) -> None:
    result = c2llm("explain", "post.py:3", "deliver", cwd=letters)
    assert result.code == 0
    assert result.out.startswith('post.py:1-5  Post  class  overlap\nfor "deliver"\n')
    assert "does not expose attention" in result.out and "\x1b" not in result.out


def test_json_has_every_number(c2llm: Program, letters: Path) -> None:
    found = json.loads(c2llm("explain", "post.py:3", "deliver", "--json", cwd=letters).out)
    best = max(found["lines"], key=lambda line: line["effect"])
    assert best["line"] == 4
    assert (found["path"], found["start_line"], found["looks"], found["words"][0]["lines"]) == ("post.py", 1, [], [4])
    assert found["freshness"]["chunks"] == 1


def test_a_page_is_written_or_printed(c2llm: Program, letters: Path) -> None:
    result = c2llm("explain", "post.py:3", "--html", "page.html", cwd=letters)
    assert (result.code, result.out) == (0, "")
    assert "page.html" in result.err
    printed = c2llm("explain", "post.py:3", "--html", "-", "--quiet", cwd=letters).out
    assert printed == (letters / "page.html").read_text()
    assert printed.startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("post.py",), "is not FILE:LINE"),
        (("gone.py:1",), "There is no file gone.py"),
        (("post.py:0",), "counted from 1"),
        (("post.py:1", "--html", "no/such/folder/page.html"), "cannot be written: No such file"),
    ],
)
def test_what_cannot_be_explained_is_one_sentence(
    c2llm: Program, letters: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    result = c2llm("explain", *arguments, cwd=letters)
    assert result.code == 2 and sentence in result.err


@pytest.mark.slow
def test_a_terminal_shows_heat_and_without_colours_numbers(tmp_path: Path, letters: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    program = Program(home, encoder="embedded")
    coloured = program.on_terminal("explain", "post.py:3", "deliver letters", cwd=letters, COLORTERM="truecolor").out
    assert re.search(r"\x1b\[[\d;]*48;2;[\d;]*m", coloured)
    bare = program.on_terminal("explain", "post.py:3", "deliver letters", cwd=letters, NO_COLOR="1").out
    assert not re.search(r"\x1b\[[\d;]*[34]8;", bare)
    assert re.search(r"4 [█▏▎▍▌▋▊▉]+ +\d+\.\d%  \+0\.\d{3} ", re.sub(r"\x1b\[[\d;]*m", "", bare))
