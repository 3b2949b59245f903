"""Hits at a terminal: a linked heading, a few lines with syntax colours, matches marked."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from rich.console import Console
from rich.padding import Padding
from rich.style import Style
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from c2llm_lsp.render.escape import escape_line
from c2llm_lsp.render.snippet import hit_lines, snippet_lines
from retrieval.search.matches import matches
from retrieval.types import Answer, Hit

THEME = "ansi_dark"  # uses the terminal's own palette, so it fits light and dark backgrounds alike
MARK = "bold underline"
GAP = "⋮"
MAX_COPIES = 3  # places of a copied text that are named


@dataclass(frozen=True, slots=True)
class TerminalOptions:
    """How hits are shown: `link` is the template of a result's link, `context` the lines around a match, `explain` adds the
    signals of the score, `show_path` gives the path that people read.
    """

    root: Path
    link: str
    context: int
    explain: bool
    show_path: Callable[[str], str]


def print_answer(console: Console, answer: Answer, options: TerminalOptions) -> None:
    """Print all hits, best first."""
    for rank, hit in enumerate(answer.hits):
        if rank:
            console.print()
        console.print(_heading(hit, options), soft_wrap=True)
        if hit.copies:
            console.print(_copies(hit, options), soft_wrap=True)
        for row in _rows(hit, options.context):
            console.print(row, no_wrap=True, overflow="ellipsis")
        if options.explain:
            console.print(Padding(_explanation(hit), (0, 0, 0, 4)))


def _heading(hit: Hit, options: TerminalOptions) -> Text:
    path = escape_line(options.show_path(hit.chunk.path))
    lines = str(hit.start_line) if hit.start_line == hit.end_line else f"{hit.start_line}-{hit.end_line}"
    target = link_target(options.link, options.root / hit.chunk.path, hit.start_line)
    heading = Text()
    heading.append(path, style=Style(bold=True, color="magenta", link=target or None))
    heading.append(f":{lines}", style="green")
    if hit.chunk.qualified:
        heading.append(f"  {escape_line(hit.chunk.qualified)}", style="bold cyan")
    heading.append(f"  {hit.chunk.kind}  {hit.score:.3f}", style="dim")
    return heading


def _copies(hit: Hit, options: TerminalOptions) -> Text:
    """The other places of the same text, the first few by name."""
    shown = [f"{escape_line(options.show_path(copy.path))}:{copy.first_line}" for copy in hit.copies[:MAX_COPIES]]
    more = f" and {len(hit.copies) - MAX_COPIES} more" if len(hit.copies) > MAX_COPIES else ""
    return Text(f"  also in {', '.join(shown)}{more}", style="dim")


def link_target(template: str, path: Path, line: int) -> str:
    """The link of a result; percent-encoded, so that no file name can end the escape sequence or the style."""
    if not template:
        return ""
    try:
        quoted = quote(os.fsencode(path.as_posix()))
    except UnicodeEncodeError:  # half of a surrogate pair, which no file name of this system has
        return ""
    return template.replace("{path}", quoted).replace("{line}", str(line)).replace(" ", "%20")


def _rows(hit: Hit, context: int) -> Iterator[Text]:
    numbers = snippet_lines(hit, context=context)
    highlighted = _highlighted(hit)
    width = len(str(hit.end_line))
    previous = None
    for number in numbers:
        if previous is not None and number > previous + 1:
            yield Text(f"  {GAP:>{width}}", style="dim")
        line = highlighted[number]
        for start, end in matches(line.plain, hit.terms):
            line.stylize(MARK, start, end)
        yield Text.assemble((f"  {number:>{width}} ", "dim"), line)
        previous = number


def _highlighted(hit: Hit) -> dict[int, Text]:
    """All lines of the hit, highlighted in one go so that strings over many lines get their colour."""
    lines = hit_lines(hit)
    text = "\n".join(escape_line(line) for line in lines.values())
    lexer = Syntax.guess_lexer(hit.chunk.path)  # by name alone: guessing by content is slow and wrong as often as not
    highlighted = Syntax(text, lexer, theme=THEME, background_color="default").highlight(text)
    highlighted.no_wrap = True
    return dict(zip(lines, highlighted.split("\n", allow_blank=True), strict=False))


def _explanation(hit: Hit) -> Table:
    table = Table("signal", "value", "effect", box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    table.columns[1].justify = table.columns[2].justify = "right"
    for signal in hit.signals:
        table.add_row(escape_line(signal.name), f"{signal.value:.4f}", f"{signal.effect:+.4f}")
    table.add_row("score", "", f"{hit.score:.4f}", style="bold")
    return table
