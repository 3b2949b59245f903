"""Markup with code in tags: PHP, ERB, EJS, JSP.

The code of all tags is read as one program, as it runs: a condition can begin in one tag and end in another. Its lines are those
of definitions and of tags of several lines; a line of markup with some code in it is markup.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from retrieval.chunking import grammars
from retrieval.chunking.embedded.markup import markup_regions
from retrieval.chunking.embedded.regions import Region, only, whole, without
from retrieval.chunking.grammars import PHP_CODE
from retrieval.chunking.line_index import LineIndex
from retrieval.chunking.parsing import parse

_RUBY = re.compile(rb"<%(%|[=#-]{0,2})")
_EJS = re.compile(rb"<%(%|[=#_-]?)")
_JSP = re.compile(rb"<%(--|[=!@]?)")
_CLOSED_ELEMENT = re.compile(rb"</[A-Za-z]")
_PHP_TAGS = "[(php_tag) (php_end_tag)] @outside"


class _Tag(NamedTuple):
    """Code from start to stop within a tag from begin to end."""

    begin: int
    start: int
    stop: int
    end: int
    is_code: bool  # no comment and no directive
    is_value: bool  # its result becomes text


def erb(lines: LineIndex) -> list[Region]:
    """Ruby in HTML."""
    return _template(lines, _percent_tags(lines.data, _RUBY, b"="), "ruby")


def ejs(lines: LineIndex) -> list[Region]:
    """JavaScript in HTML."""
    return _template(lines, _percent_tags(lines.data, _EJS, b"=-"), "javascript")


def jsp(lines: LineIndex) -> list[Region]:
    """Java in HTML."""
    return _template(lines, _percent_tags(lines.data, _JSP, b"="), "java")


def php(lines: LineIndex) -> list[Region]:
    """PHP in HTML. No regions for a file that is PHP alone."""
    data = lines.data
    if b"<?" not in data:  # a template with tags of its own, or code in a text
        is_markup = _CLOSED_ELEMENT.search(data) is not None
        return markup_regions(lines, data, "html") if is_markup else [whole("php", lines, data, PHP_CODE)]
    if b"?>" not in data.rstrip()[:-2] and data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<?php"):
        return []
    return _template(lines, _php_tags(data), "php")


def _template(lines: LineIndex, tags: list[_Tag], language: str) -> list[Region]:
    data = lines.data
    markup = _with_values(data, tags)
    if not markup.strip():
        return []
    regions = markup_regions(lines, markup, "html")
    code = [tag for tag in tags if tag.is_code]
    if not code:
        return regions
    program = bytearray(only(data, [(tag.start, tag.stop) for tag in code]))
    for tag in code:
        if tag.end > tag.stop and language != "php":
            program[tag.stop] = 0x3B  # a semicolon: what follows in the next tag is another statement
    shown = lines.with_data(bytes(program))
    runs = tuple(_lines(lines, tag) for tag in code if not tag.is_value and b"\n" in data[tag.begin : tag.end])
    grammar = PHP_CODE if language == "php" else ""
    regions.append(Region(language, shown, 0, runs, grammar, takes_definitions=True))
    return regions


def _lines(lines: LineIndex, tag: _Tag) -> tuple[int, int]:
    return lines.line_at(tag.begin), lines.line_at(max(tag.end - 1, tag.begin)) + 1


def _with_values(data: bytes, tags: list[_Tag]) -> bytes:
    """The markup: a word in place of each value, so that a script with values in it can be read."""
    shown = bytearray(without(data, [(tag.begin, tag.end) for tag in tags]))
    for tag in tags:
        if tag.is_value and b"\n" not in data[tag.begin : tag.end]:
            shown[tag.begin : tag.end] = b"_" * (tag.end - tag.begin)
    return bytes(shown)


def _percent_tags(data: bytes, opening: re.Pattern[bytes], values: bytes) -> list[_Tag]:
    tags: list[_Tag] = []
    at = 0
    while (match := opening.search(data, at)) is not None:
        mark = match[1]
        if mark == b"%":  # an escaped one
            at = match.end()
            continue
        closing = b"--%>" if mark == b"--" else b"%>"
        found = data.find(closing, match.end())
        stop, at = (found, found + len(closing)) if found >= 0 else (len(data), len(data))
        inner = stop - 1 if stop > match.end() and data[stop - 1 : stop] in (b"-", b"_") else stop
        is_code = mark[:1] not in (b"#", b"@") and mark != b"--"
        tags.append(_Tag(match.start(), match.end(), inner, at, is_code, is_code and mark[:1] in _bytes(values)))
    return tags


def _bytes(marks: bytes) -> tuple[bytes, ...]:
    return tuple(marks[i : i + 1] for i in range(len(marks)))


def _php_tags(data: bytes) -> list[_Tag]:
    """By the grammar: `?>` ends no tag within a text or a heredoc."""
    root = parse("php", data)
    grammar = grammars.load("php")
    if root is None or grammar is None:
        return []
    from tree_sitter import Query, QueryCursor

    outside = QueryCursor(Query(grammar, _PHP_TAGS)).captures(root).get("outside", [])
    tags: list[_Tag] = []
    opened: tuple[int, int, bool] | None = None
    for node in sorted(outside, key=lambda node: node.start_byte):
        if node.type == "php_tag":
            opened = (node.start_byte, node.end_byte, data[node.start_byte : node.end_byte] == b"<?=")
        elif node.type == "php_end_tag" and opened is not None:
            tags.append(_Tag(opened[0], opened[1], node.start_byte, node.end_byte, True, opened[2]))
            opened = None
    if opened is not None:
        tags.append(_Tag(opened[0], opened[1], len(data), len(data), True, opened[2]))
    return tags
