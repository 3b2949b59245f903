"""The lines that an answer cites, checked against those that the model was given, and against the files as they are now.

A citation is written [path:line] or [path:first-last]; models also write several ranges, as in [path:3-9,12], and backticks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from retrieval.files import SourceFile, read_file
from retrieval.rag.spans import ContextSpan
from retrieval.rag.units import LINE_BREAK
from retrieval.types import Location

# A path may have brackets of its own, as routes of web frameworks have: app/[id]/page.tsx.
_CITATION = re.compile(
    r"\[`{0,2}((?:[^\[\]\n`]|\[[^\[\]\n`]{1,100}\]){1,500}?)`{0,2}:([L0-9][L0-9,\-– ]{0,200})`{0,2}\](?!\()"
)
_RANGE = re.compile(r"L?(\d{1,9})(?: ?[-–] ?L?(\d{1,9}))?")

MAX_CITATIONS = 500  # of an answer: each is looked up in its file

NumberedLines = Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Citation:
    """Lines that an answer cites. Lines are 1-based and inclusive."""

    path: str
    first_line: int
    last_line: int
    retrieved: bool  # whether all of them were given to the model
    changed: bool = False  # whether the file has other lines there now


def cited_locations(text: str) -> list[Location]:
    """What an answer cites in its order, each once."""
    found: dict[Location, None] = {}
    for match in _CITATION.finditer(text):
        path = match[1].strip()
        for part in _RANGE.finditer(match[2]):
            found.setdefault(Location(path, int(part[1]), int(part[2] or part[1])))
        if len(found) >= MAX_CITATIONS:
            break
    return list(found)[:MAX_CITATIONS]


def is_retrieved(cited: Location, given: Mapping[str, Collection[int]]) -> bool:
    """Whether all lines that are cited were given."""
    lines, first, last = given.get(cited.path, ()), cited.first_line, cited.last_line
    return first <= last and first in lines and last in lines and all(n in lines for n in range(first, last + 1))


def given_lines(spans: Iterable[ContextSpan]) -> dict[str, dict[int, str]]:
    """The lines of each file that spans show."""
    given: dict[str, dict[int, str]] = {}
    for span in spans:
        given.setdefault(span.path, {}).update(numbered(span))
    return given


def numbered(span: ContextSpan) -> list[tuple[int, str]]:
    """The lines that a span shows, with their numbers. Between two ranges stands an ellipsis in its text."""
    rows = iter(LINE_BREAK.split(span.text))
    lines: list[tuple[int, str]] = []
    for index, (first, last) in enumerate(span.shown or ((span.start_line, span.end_line),)):
        if index:
            next(rows, None)
        lines += zip(range(first, last + 1), rows, strict=False)  # a cell may have fewer lines
    return lines


def check(
    text: str, given: Mapping[str, NumberedLines], lines_now: Callable[[str], Sequence[str] | None] | None = None
) -> list[Citation]:
    """The citations of an answer, checked against the given lines; and against the files of now, where `lines_now` gives the lines
    of a path, None for a file that is gone.
    """
    citations = []
    files: dict[str, Sequence[str] | None] = {}
    for cited in cited_locations(text):
        retrieved = is_retrieved(cited, given)
        changed = False
        if retrieved and lines_now is not None and not cited.path.endswith(".ipynb"):  # its lines are those of cells
            if cited.path not in files:
                files[cited.path] = lines_now(cited.path)
            now = files[cited.path]
            span = range(cited.first_line, cited.last_line + 1)
            changed = now is None or any(n > len(now) or now[n - 1] != given[cited.path][n] for n in span)
        citations.append(Citation(cited.path, cited.first_line, cited.last_line, retrieved, changed))
    return citations


def lines_on_disk(root: Path, path: str) -> list[str] | None:
    """The lines of a file as they would be indexed now, None where there is none."""
    source = read_file(root, path, reincluded=True)
    return LINE_BREAK.split(source.text) if isinstance(source, SourceFile) else None
