"""Code in reStructuredText, and scripts and styles in Handlebars and Twig."""

from __future__ import annotations

import re
from dataclasses import replace

from retrieval.chunking.embedded.fences import language_of_fence
from retrieval.chunking.embedded.markup import markup_regions
from retrieval.chunking.embedded.regions import MAX_REGIONS, Element, Region, blank, region_of
from retrieval.chunking.line_index import LineIndex

# `.. code-block:: python`; Sphinx knows three names of it.
_DIRECTIVE = re.compile(rb"([ \t]{0,80})\.\.[ \t]{1,8}(?:code-block|code|sourcecode)::([^\r\n]{0,80})")
_OPTION = re.compile(rb"[ \t]+:[\w-]+:")
_INDENT = re.compile(rb"[ \t]*")
# Values and statements; `{{!-- --}}` and `{# #}` are comments. What opens and is not closed within so many bytes is text.
_MAX_TAG = 2_000
_HANDLEBARS = re.compile(rb"\{\{!--|\{\{\{?")
_TWIG = re.compile(rb"\{[{%#]")
_CLOSINGS = {b"{{!--": b"--}}", b"{{{": b"}}}", b"{{": b"}}", b"{%": b"%}", b"{#": b"#}"}


def restructured(lines: LineIndex) -> list[Region]:
    """Code in directives that name a language; none for a text without."""
    regions: list[Region] = []
    line = 0
    while line < lines.count and len(regions) < MAX_REGIONS:
        row = lines.row(line)
        directive = _DIRECTIVE.match(row) if b".. " in row and b"::" in row else None
        if directive is None:
            line += 1
            continue
        first, end = _body(lines, line + 1, len(directive[1].expandtabs()))
        language = language_of_fence(directive[2])
        if language and first < end:
            element = Element(lines.starts[line], lines.starts[first], lines.starts[end], lines.starts[end])
            region = region_of(lines, element, language)
            regions += [replace(region, nested=True, in_text=True)] if region is not None else []
        line = max(end, line + 1)
    return [Region("rst", lines, 0, ((0, lines.count),)), *regions] if regions else []


def handlebars(lines: LineIndex) -> list[Region]:
    """Scripts and styles of Handlebars and Mustache."""
    return markup_regions(lines, _without_tags(lines.data, _HANDLEBARS), "handlebars")


def twig(lines: LineIndex) -> list[Region]:
    """Scripts and styles of Twig."""
    return markup_regions(lines, _without_tags(lines.data, _TWIG), "twig")


def _body(lines: LineIndex, line: int, indent: int) -> tuple[int, int]:
    """The first line of a directive's content and the one behind its last: what stands further in."""
    while line < lines.count and _OPTION.match(lines.row(line)):
        line += 1
    first = end = line
    while line < lines.count:
        if not lines.is_blank(line):
            found = _INDENT.match(lines.row(line))
            if found is None or len(found[0].expandtabs()) <= indent:
                break
            end = line + 1
        line += 1
    return first, end


def _without_tags(data: bytes, opening: re.Pattern[bytes]) -> bytes:
    """A word in place of each value, so that a script with values in it can be read; statements and comments blank."""
    parts: list[bytes] = []
    done = at = 0
    while (found := opening.search(data, at)) is not None:
        closing = _CLOSINGS[found[0]]
        stop = data.find(closing, found.end(), found.end() + _MAX_TAG)
        if stop < 0:
            at = found.end()
            continue
        at = stop + len(closing)
        tag = data[found.start() : at]
        is_value = (
            found[0] in (b"{{", b"{{{") and data[found.end() : found.end() + 1] not in b"#/^!>" and b"\n" not in tag
        )
        parts += [data[done : found.start()], b"_" * len(tag) if is_value else blank(tag)]
        done = at
    return b"".join([*parts, data[done:]])
