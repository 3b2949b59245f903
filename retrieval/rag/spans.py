"""The text of a context: a section for each file, whose heading cites the lines that its fence holds.

Lines that are left out between two that are shown stand as "… line N", where N is the next line shown. The text is untrusted: it
cannot end its fence, and neither it nor a path can begin a heading or a link. In XML every tag and entity of it is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

from retrieval.escaping import code_span, escape_block, escape_line, fenced
from retrieval.types import Location

MAX_COPIES = 3  # places of a copied text that are named

TextFormat = Literal["markdown", "xml"]
TEXT_FORMATS: tuple[TextFormat, ...] = ("markdown", "xml")


@dataclass(frozen=True, slots=True)
class ContextSpan:
    """Lines of one file as the context shows them: the first and the last line are shown, and an outline leaves some out."""

    path: str
    start_line: int
    end_line: int
    kind: Literal["code", "outline"]
    text: str
    language: str
    symbol: str  # qualified name of what is defined there; "" if nothing is
    copies: tuple[Location, ...] = ()  # where the same text stands as well
    shown: tuple[tuple[int, int], ...] = ()  # first and last line of each range that is shown


def ellipsis(next_line: int) -> str:
    return f"… line {next_line}"


def render(sections: Sequence[Sequence[ContextSpan]], text_format: TextFormat) -> str:
    """The sections, each of the spans of one file."""
    if text_format == "xml":
        return "\n".join(["<context>", *map(xml_section, sections), "</context>"]) if sections else ""
    return "\n\n".join(map(markdown_section, sections))


def markdown_section(spans: Sequence[ContextSpan]) -> str:
    """A heading that cites the lines, and the lines in a fence."""
    first = spans[0]
    heading = f"### {code_span(f'{first.path}:{line_ranges(spans)}')}"
    if len(spans) == 1 and first.symbol:
        heading += f" {code_span(first.symbol)}"
    also = "".join(f"{line}\n" for line in copies_line(_copies(spans)))
    return f"{heading}\n{also}{fenced(section_text(spans), first.language)}"


def xml_section(spans: Sequence[ContextSpan]) -> str:
    """An element that cites the lines; its text has no tag of its own."""
    first = spans[0]
    attributes = {"path": first.path, "lines": line_ranges(spans)}
    if len(spans) == 1 and first.symbol:
        attributes["symbol"] = first.symbol
    if places := _copies(spans):
        attributes["copies"] = ", ".join(
            f"{copy.path}:{copy.first_line}-{copy.last_line}" for copy in places[:MAX_COPIES]
        )
    written = " ".join(f"{name}={quoteattr(escape_line(value))}" for name, value in attributes.items())
    return f"<file {written}>\n{escape(escape_block(section_text(spans)))}\n</file>"


def section_text(spans: Sequence[ContextSpan]) -> str:
    lines = [spans[0].text]
    for before, span in pairwise(spans):
        if span.start_line > before.end_line + 1:
            lines.append(ellipsis(span.start_line))
        lines.append(span.text)
    return "\n".join(lines)


def line_ranges(spans: Iterable[ContextSpan]) -> str:
    """The lines of spans as "3-9,14"."""
    ranges: list[tuple[int, int]] = []
    for span in spans:
        if ranges and span.start_line <= ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], span.end_line)
        else:
            ranges.append((span.start_line, span.end_line))
    return ",".join(f"{first}-{last}" if last > first else f"{first}" for first, last in ranges)


def copies_line(copies: Sequence[Location]) -> list[str]:
    """One line of Markdown on the other places of a text, none where there are none."""
    if not copies:
        return []
    shown = [code_span(f"{copy.path}:{copy.first_line}-{copy.last_line}") for copy in copies[:MAX_COPIES]]
    more = f" and {len(copies) - MAX_COPIES} more" if len(copies) > MAX_COPIES else ""
    return [f"Also in {', '.join(shown)}{more}"]


def _copies(spans: Sequence[ContextSpan]) -> list[Location]:
    return list(dict.fromkeys(copy for span in spans for copy in span.copies))
