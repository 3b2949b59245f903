"""Parts of a file that are in a language of their own: which lines they are, and what their parser reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from retrieval.chunking.line_index import LineIndex

# Of one file; what comes behind belongs to the file's own language.
MAX_REGIONS = 500
_CHARACTERS = re.compile(rb"[^\r\n]+")
_INDENT = re.compile(rb"[ \t]*")


class Element(NamedTuple):
    """A part of a file in bytes: its content, with what opens it before and what closes it behind."""

    begin: int
    start: int
    stop: int
    end: int


@dataclass(frozen=True, slots=True)
class Region:
    """Lines of a file in one language.

    `lines` is the text that is read, everything else in it blank; its first line is line `offset` of the file. `runs` are the
    lines of the file (first, end) that become chunks of the region.
    """

    language: str
    lines: LineIndex
    offset: int
    runs: tuple[tuple[int, int], ...]
    grammar: str = ""  # of another language that outlines it
    nested: bool = False  # can have regions of its own
    are_members: bool = False  # definitions without the class around them
    in_text: bool = False  # its scope is the headings around it; short code that defines nothing stays with the text
    takes_definitions: bool = False  # a definition belongs to it with all its lines, whatever is in them


def blank(text: bytes) -> bytes:
    """Spaces in place of all characters but line breaks."""
    return _CHARACTERS.sub(lambda match: b" " * len(match[0]), text)


def without(data: bytes, spans: Iterable[tuple[int, int]]) -> bytes:
    """The bytes with these spans blank, in order and without overlaps."""
    parts: list[bytes] = []
    at = 0
    for start, stop in spans:
        parts += [data[at:start], blank(data[start:stop])]
        at = stop
    return b"".join([*parts, data[at:]])


def only(data: bytes, spans: Iterable[tuple[int, int]]) -> bytes:
    """The bytes with everything but these spans blank."""
    parts: list[bytes] = []
    at = 0
    for start, stop in spans:
        parts += [blank(data[at:start]), data[start:stop]]
        at = stop
    return b"".join([*parts, blank(data[at:])])


def whole(language: str, lines: LineIndex, data: bytes, grammar: str = "") -> Region:
    """A region of all lines of a file."""
    return Region(language, lines.with_data(data), 0, ((0, lines.count),), grammar)


def region_of(
    lines: LineIndex,
    element: Element,
    language: str,
    around: tuple[bytes, bytes] = (b"", b""),
) -> Region | None:
    """The lines of an element, with those that only open and close it. None where it has no content, or no line of its own.

    `around` is what the parser has to read before and behind the content.
    """
    if not lines.data[element.start : element.stop].strip():
        return None
    first, end = _lines_of(lines, element)
    if first >= end:
        return None
    start, stop = lines.starts[first], lines.starts[end]
    inner, outer = max(start, element.start), min(stop, element.stop)
    text = blank(lines.data[start:inner]) + lines.data[inner:outer] + blank(lines.data[outer:stop])
    before, behind = around
    return Region(language, LineIndex(before + _dedented(text) + behind), first, ((first, end),))


def _lines_of(lines: LineIndex, element: Element) -> tuple[int, int]:
    """The first line and the one behind the last: those that hold some of its content, and those that hold nothing else."""
    data = lines.data
    first, last = lines.line_at(element.begin), lines.line_at(max(element.end - 1, element.start))
    if not lines.begins_line(first, element.begin, data):
        if first == last:
            return first, first
        first = lines.line_at(element.start)
        if not data[element.start : min(lines.starts[first + 1], element.stop)].strip():
            first += 1  # only the end of the tag
    if not data[element.end : lines.starts[last + 1]].strip():
        return first, last + 1
    ends_here = data[max(lines.starts[last], element.start) : element.stop].strip()
    return first, last + 1 if ends_here and last > first else last


def _dedented(text: bytes) -> bytes:
    """Without the indentation that all lines share."""
    rows = text.splitlines(keepends=True)
    indent = _common([_indent(row) for row in rows if row.strip()])
    if not indent:
        return text
    return b"".join(row[len(indent) :] if row.startswith(indent) else row.lstrip(b" \t") for row in rows)


def _common(indents: Sequence[bytes]) -> bytes:
    """What all of them begin with."""
    low, high = min(indents, default=b""), max(indents, default=b"")
    at = 0
    while at < len(low) and low[at] == high[at]:
        at += 1
    return low[:at]


def _indent(row: bytes) -> bytes:
    match = _INDENT.match(row)
    return match[0] if match else b""
