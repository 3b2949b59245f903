"""The navigation target of a hit: the name of what it is about.

A chunk may hold several small definitions, and is called by the first one. So the salient lines of the hit choose
the statement, and where that is another than the named one, its head is the target, and its text what to show.
Where the query was a name that the hit defines, that line is the target.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from retrieval.chunking import lines_of
from retrieval.types import Chunk, Hit

# What begins a line that belongs to the statement after it: comments, decorators, attributes.
_PREFIX = re.compile(r"#(?!define)|//|/\*|\*|--|;|@|\[")
_NO_HEAD = re.compile(r"[{})\]]|$")


@dataclass(frozen=True, slots=True)
class NavigationTarget:
    """A position in a file, and a title for it."""

    line: int  # from 1, as the engine counts
    before: str  # what stands before it in its line
    name: str  # what it is called; empty where it has no name


@dataclass(slots=True)
class _Statement:
    first: int
    head: int
    last: int


def navigation_target(hit: Hit) -> NavigationTarget:
    from retrieval.search.definitions import queried_definition_line  # imported here: slow

    chunk = hit.chunk
    lines = lines_of(chunk.text)
    named = _named(chunk, lines)
    defined = queried_definition_line(hit)  # the line that defines the name of the query
    if defined is not None and defined <= chunk.end_line and (named is None or defined != chunk.start_line + named[0]):
        return _on_line(chunk, defined, lines_of(hit.text)[defined - hit.start_line])
    statements = _statements(lines, prefix=None if chunk.kind == "section" else _PREFIX)
    salient = _most_salient(statements, [line - chunk.start_line for line in hit.salient_lines])
    if named is not None and (defined is not None or salient is None or salient.first <= named[0] <= salient.last):
        return NavigationTarget(chunk.start_line + named[0], named[1], chunk.symbol)
    if salient is None:
        return NavigationTarget(chunk.start_line, "", chunk.symbol)
    return _on_line(chunk, chunk.start_line + salient.head, lines[salient.head])


def _on_line(chunk: Chunk, number: int, text: str) -> NavigationTarget:
    """The beginning of a line that is another than the one with the chunk's name."""
    return NavigationTarget(number, text[: _indent(text)], text.strip() if chunk.symbol else "")


def _statements(lines: list[str], *, prefix: re.Pattern[str] | None) -> list[_Statement]:
    """The outermost statements of a chunk, each with the lines before it that match `prefix`."""
    outer = min((_indent(line) for line in lines if line.strip()), default=0)
    statements: list[_Statement] = []
    prefix_start: int | None = None
    for number, line in enumerate(lines):
        text = line.strip()
        if not text or _indent(line) > outer or _NO_HEAD.match(text):
            continue
        if prefix is not None and prefix.match(text):
            prefix_start = number if prefix_start is None else prefix_start
            continue
        statements.append(_Statement(number if prefix_start is None else prefix_start, number, len(lines) - 1))
        if len(statements) > 1:
            statements[-2].last = statements[-1].first - 1
        prefix_start = None
    return statements


def _most_salient(statements: list[_Statement], salient: list[int]) -> _Statement | None:
    """The statement with the most salient lines, the first of them; None where that says nothing."""
    votes = Counter(number for line in salient for number, s in enumerate(statements) if s.first <= line <= s.last)
    best = max(votes.items(), key=lambda item: (item[1], -item[0]), default=None)
    return None if best is None else statements[best[0]]


def _named(chunk: Chunk, lines: list[str]) -> tuple[int, str] | None:
    """The line of a chunk, from 0, that has its name, preferably in code; and what stands before it there."""
    if not chunk.symbol:
        return None
    own = next((s for s in chunk.symbols if (s.name, s.scope) == (chunk.symbol, chunk.scope)), None)
    first, end = (own.start_line, own.end_line) if own else (chunk.start_line, chunk.end_line)
    there = range(first - chunk.start_line, min(end - chunk.start_line + 1, len(lines)))
    found = [(n, lines[n][:at]) for n in there if (at := _word_at(lines[n], chunk.symbol)) >= 0]
    in_code = (at for at in found if not _in_comment(at[1].lstrip()))
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


def _in_comment(before: str) -> bool:
    """Whether this begins a comment or a string."""
    return before.startswith(("#", "//", "/*", "*", "--", ";", '"', "'"))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
