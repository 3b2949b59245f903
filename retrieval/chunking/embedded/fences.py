"""Fenced code in Markdown, and the modules of MDX."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from retrieval.chunking.embedded.regions import MAX_REGIONS, Element, Region, region_of
from retrieval.chunking.languages import TEXT, content_type, known
from retrieval.chunking.line_index import LineIndex

_FENCE = re.compile(rb"([ \t]*)(`{3,}|~{3,})(.*)")
_CLOSING = re.compile(rb"[ \t]*(`{3,}|~{3,})[ \t]*$")
_MAX_INFO = 400  # bytes
_PLAIN_INDENT = 3  # columns; further in it is a fence only if it says its language and ends, as in a list
# The first word of what is behind a fence: `ts title="x"`, `{r, echo=FALSE}`, `{.python .numberLines}`, `rust,ignore`, `js{1,3}`
_WORD = re.compile(rb"[ \t]{0,8}\{?[ \t]{0,8}[.=]?([\w+#-]{1,40})")
_MAX_MODULE_LINES = 500
_MODULE = re.compile(rb"(?:import|export)\b")
_OPENING_BRACKET, _CLOSING_BRACKET = re.compile(rb"[\[({]"), re.compile(rb"[\])}]")


class Fence(NamedTuple):
    """Lines of a fence: the one that opens it and the one that closes it, the number of lines where none does."""

    first: int
    last: int
    language: str  # empty where it names none that is known


def markdown(lines: LineIndex) -> list[Region]:
    """Fenced code in the languages that it names."""
    return [_text(lines), *_code(lines, list(fences(lines)))]


def mdx(lines: LineIndex) -> list[Region]:
    """Markdown with imports and exports between its paragraphs."""
    found = list(fences(lines))
    return [_text(lines), *_code(lines, found), *_modules(lines, found)]


def fences(lines: LineIndex) -> Iterator[Fence]:
    """The fences of a Markdown text in line order; one that is not closed goes on to the end."""
    line = 0
    unclosed: set[bytes] = set()
    while line < lines.count:
        opened = _FENCE.match(lines.row(line)[:_MAX_INFO])
        if opened is None or (opened[2][:1] == b"`" and b"`" in opened[3]):
            line += 1
            continue
        language = language_of_fence(opened[3])
        is_deep = len(opened[1].expandtabs(4)) > _PLAIN_INDENT
        last = lines.count if opened[2] in unclosed else _closing(lines, line + 1, opened[2])
        if last == lines.count:
            unclosed.add(opened[2])
        if is_deep and (not opened[3].strip() or last == lines.count):
            line += 1
            continue
        yield Fence(line, last, language)
        line = last + 1


def _closing(lines: LineIndex, line: int, mark: bytes) -> int:
    while line < lines.count:
        closed = _CLOSING.match(lines.row(line)[:_MAX_INFO])
        if closed is not None and closed[1].startswith(mark):
            return line
        line += 1
    return line


def language_of_fence(info: bytes) -> str:
    """Of code; empty for prose and for what is not known."""
    word = _WORD.match(info)
    language = known(word[1].decode("utf-8", "replace")) if word else None
    return (
        ""
        if language is None or (content_type(language) == "docs" and language != "tex") or language == TEXT
        else language
    )


def _text(lines: LineIndex) -> Region:
    return Region("markdown", lines, 0, ((0, lines.count),))


def _code(lines: LineIndex, found: list[Fence]) -> list[Region]:
    regions = []
    for fence in [fence for fence in found if fence.language][:MAX_REGIONS]:
        start, stop = lines.starts[min(fence.first + 1, lines.count)], lines.starts[fence.last]
        end = lines.starts[min(fence.last + 1, lines.count)]
        element = Element(lines.starts[fence.first], start, max(start, stop), end)
        region = region_of(lines, element, fence.language)
        if region is not None:
            regions.append(replace(region, nested=True, in_text=True))
    return regions


def _modules(lines: LineIndex, found: list[Fence]) -> list[Region]:
    """Imports and exports: from the beginning of a paragraph to its end, blank lines in brackets included."""
    regions: list[Region] = []
    fenced = {line for fence in found for line in range(fence.first, fence.last + 1)}
    line, is_start = 0, True
    while line < lines.count and len(regions) < MAX_REGIONS:
        if not is_start or line in fenced or not _MODULE.match(lines.row(line)):
            is_start = lines.is_blank(line) or line in fenced
            line += 1
            continue
        end = _end_of_module(lines, line)
        region = region_of(
            lines, Element(lines.starts[line], lines.starts[line], lines.starts[end], lines.starts[end]), "javascript"
        )
        regions += [region] if region is not None else []
        line, is_start = end, True
    return regions


def _end_of_module(lines: LineIndex, line: int) -> int:
    """The blank line that ends it: the first one outside of brackets, or the first where they are not closed."""
    depth, first_blank, limit = 0, lines.count, min(lines.count, line + _MAX_MODULE_LINES)
    while line < limit:
        row = lines.row(line)
        if not row.strip():
            if depth <= 0:
                return line
            first_blank = min(first_blank, line)
        depth += len(_OPENING_BRACKET.findall(row)) - len(_CLOSING_BRACKET.findall(row))
        line += 1
    return first_blank if depth > 0 and first_blank < limit else limit
