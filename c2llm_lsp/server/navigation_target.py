"""Where a jump to a hit should land: on the name of what it is about.

A chunk may hold several small definitions, and is called by the first one. So the lines that speak for the hit choose
the statement, and where that is another than the named one, its head is where to go, and its text what to show.
Where the query was a name that the hit defines, that line is where to go.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from retrieval.chunking import lines_of
from retrieval.types import Chunk, Hit

# What begins a line that belongs to the statement after it: comments, decorators, attributes.
_AHEAD = re.compile(r"#(?!define)|//|/\*|\*|--|;|@|\[")
_NO_HEAD = re.compile(r"[{})\]]|$")


@dataclass(frozen=True, slots=True)
class Landing:
    """A place in a file."""

    line: int  # from 1, as the engine counts
    before: str  # what stands before it in its line
    name: str  # what it is called; empty where it has no name


@dataclass(slots=True)
class _Statement:
    first: int
    head: int
    last: int


def landing(hit: Hit) -> Landing:
    from retrieval.search.definitions import asked_for  # is there where there are hits, and takes long to import

    chunk = hit.chunk
    lines = lines_of(chunk.text)
    named = _named(chunk, lines)
    asked = asked_for(hit)
    if asked is not None and asked <= chunk.end_line and (named is None or asked != chunk.start_line + named[0]):
        return _on_line(chunk, asked, lines_of(hit.text)[asked - hit.start_line])
    statements = _statements(lines, ahead=None if chunk.kind == "section" else _AHEAD)
    meant = _meant(statements, [line - chunk.start_line for line in hit.salient_lines])
    if named is not None and (asked is not None or meant is None or meant.first <= named[0] <= meant.last):
        return Landing(chunk.start_line + named[0], named[1], chunk.symbol)
    if meant is None:
        return Landing(chunk.start_line, "", chunk.symbol)
    return _on_line(chunk, chunk.start_line + meant.head, lines[meant.head])


def _on_line(chunk: Chunk, number: int, text: str) -> Landing:
    """The beginning of a line that is another than the one with the chunk's name."""
    return Landing(number, text[: _indent(text)], text.strip() if chunk.symbol else "")


def _statements(lines: list[str], *, ahead: re.Pattern[str] | None) -> list[_Statement]:
    """The outermost statements of a chunk, each with the lines before it that are `ahead` of it."""
    outer = min((_indent(line) for line in lines if line.strip()), default=0)
    found: list[_Statement] = []
    begun: int | None = None
    for number, line in enumerate(lines):
        text = line.strip()
        if not text or _indent(line) > outer or _NO_HEAD.match(text):
            continue
        if ahead is not None and ahead.match(text):
            begun = number if begun is None else begun
            continue
        found.append(_Statement(number if begun is None else begun, number, len(lines) - 1))
        if len(found) > 1:
            found[-2].last = found[-1].first - 1
        begun = None
    return found


def _meant(statements: list[_Statement], salient: list[int]) -> _Statement | None:
    """The statement with the most salient lines, the first of them; None where that says nothing."""
    votes = Counter(number for line in salient for number, s in enumerate(statements) if s.first <= line <= s.last)
    best = max(votes.items(), key=lambda item: (item[1], -item[0]), default=None)
    return None if best is None else statements[best[0]]


def _named(chunk: Chunk, lines: list[str]) -> tuple[int, str] | None:
    """The line of a chunk, from 0, that has its name, preferably in code; and what stands before it there."""
    if not chunk.symbol:
        return None
    found = [(number, line[:at]) for number, line in enumerate(lines) if (at := _word_at(line, chunk.symbol)) >= 0]
    in_code = (at for at in found if not _talks(at[1].lstrip()))
    return next(in_code, found[0] if found else None)


def _word_at(line: str, name: str) -> int:
    """Where a name stands in a line, as no part of a longer one; -1 where it does not. Compiling a pattern for each name would
    take longer than all else here."""
    at = line.find(name)
    while at >= 0 and (_in_word(line[:at][-1:]) or _in_word(line[at + len(name) :][:1])):
        at = line.find(name, at + 1)
    return at


def _in_word(char: str) -> bool:
    return char == "_" or char.isalnum()


def _talks(before: str) -> bool:
    """Whether a name behind this is talked about, in a comment or a text."""
    return before.startswith(("#", "//", "/*", "*", "--", ";", '"', "'"))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
