"""The outline of a file or folder within a budget of tokens: signatures of what is defined, the most used first.

Of a file everything is shown that fits. Of a folder the files that define most are looked at, and of those the definitions whose
names occur in most files are shown, each under its file and in the order of its lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log2

from retrieval.chunking.structure import MAX_DEFINITIONS, Definition, unpack_definitions
from retrieval.errors import QueryError
from retrieval.indexing import OverlaidRows
from retrieval.search.path_kinds import kind_of
from retrieval.structure.lines import LineReader

MAX_OUTLINED_FILES = 24  # of a folder
MAX_FILE_DEFINITIONS = 24  # of each of its files, the outer ones first
MAX_SORTED = 200  # files, the largest, of which tests come after the others
MAX_READ = 60  # of each of its files, from its beginning
MAX_COUNTED = 24  # files that define or use a name: more are worth the same
MAX_MISFITS = 20  # definitions in a row that are too long for what is left of the budget
DEFAULT_OUTLINE_BUDGET = 2_000
_TEST_WORTH = 0.2
_DEPTH_WORTH = 0.6  # of a member against what holds it
_INDENT = "  "


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """A definition that is shown. `depth`: how many definitions of the file are around it."""

    name: str
    kind: str
    scope: str
    line: int
    last_line: int
    depth: int
    text: str


@dataclass(frozen=True, slots=True)
class OutlinedFile:
    path: str
    entries: tuple[OutlineEntry, ...]
    left_out: int  # definitions of it that are not shown


@dataclass(frozen=True, slots=True)
class Outline:
    """`files_left_out` counts indexed files with definitions of which nothing is shown."""

    path: str
    files: tuple[OutlinedFile, ...]
    files_left_out: int
    tokens: int
    budget: int


@dataclass(frozen=True, slots=True)
class _Candidate:
    path: str
    number: int
    depth: int
    definition: Definition
    worth: float


def outline(rows: OverlaidRows, path: str, budget: int, count: Callable[[str], int]) -> Outline:
    """The outline of a file, of a folder, or of all ("")."""
    files = _files(rows, path)
    if path and not files:
        raise QueryError(f"Nothing is indexed at {path}: it may be ignored, empty or not there.")
    structures = rows.structures_of(files[:MAX_OUTLINED_FILES])
    most = MAX_READ if len(structures) > 1 else MAX_DEFINITIONS
    known = {file: unpack_definitions(data, most) for file, data in structures.items()}
    lines, spent, misfits = LineReader(rows), 0, 0
    chosen: dict[str, list[OutlineEntry]] = {}
    for candidate in _candidates(rows, known):
        entry = _entry(candidate, lines)
        cost = count(f"{_INDENT * (1 + entry.depth)}{entry.line} {entry.text}\n")
        cost += 0 if candidate.path in chosen else count(f"{candidate.path}\n")
        if spent + cost > budget:
            misfits += 1
            if misfits >= MAX_MISFITS:
                break
            continue
        spent, misfits = spent + cost, 0
        chosen.setdefault(candidate.path, []).append(entry)
    outlined = tuple(
        OutlinedFile(file, tuple(sorted(entries, key=lambda entry: entry.line)), len(known[file]) - len(entries))
        for file, entries in sorted(chosen.items())
    )
    return Outline(path, outlined, len(files) - len(outlined), spent, budget)


def _files(rows: OverlaidRows, path: str) -> list[str]:
    """The files to look at, those that define most first; tests after the others."""
    sizes = rows.structure_sizes(path)
    largest = sorted(sizes, key=lambda file: (-sizes[file], file))
    first, rest = largest[:MAX_SORTED], largest[MAX_SORTED:]
    return sorted(first, key=lambda file: kind_of(file, "") == "test") + rest


def _candidates(rows: OverlaidRows, known: Mapping[str, Sequence[Definition]]) -> list[_Candidate]:
    considered = {path: _outer(definitions, len(known)) for path, definitions in known.items()}
    names = list({definition.name for numbered in considered.values() for _, _, definition in numbered})
    counts = rows.store.structures.file_counts(names, MAX_COUNTED) if len(known) > 1 else {}
    found = []
    for path, numbered in considered.items():
        share = _TEST_WORTH if kind_of(path, "") == "test" else 1.0
        for number, depth, definition in numbered:
            inside = definition.scope.count(".") + 1 if definition.scope else 0
            hidden = 0.5 if definition.name.startswith("_") else 1.0
            worth = share * hidden * _DEPTH_WORTH**inside * (1 + log2(1 + counts.get(definition.name, 0)))
            found.append(_Candidate(path, number, depth, definition, worth))
    return sorted(found, key=lambda one: (-one.worth, one.path, one.number))


def _outer(definitions: Sequence[Definition], files: int) -> list[tuple[int, int, Definition]]:
    """Number, depth and definition of those to consider: all of a single file, else the outer ones."""
    numbered, around = list[tuple[int, int, Definition]](), list[int]()
    for number, definition in enumerate(definitions):
        while around and around[-1] < definition.last:
            around.pop()
        numbered.append((number, len(around), definition))
        around.append(definition.last)
    return numbered if files == 1 else sorted(numbered, key=lambda one: one[1])[:MAX_FILE_DEFINITIONS]


def _entry(candidate: _Candidate, lines: LineReader) -> OutlineEntry:
    d = candidate.definition
    text = lines.line(candidate.path, d.line) or d.name
    return OutlineEntry(d.name, d.kind, d.scope, d.line, d.last, candidate.depth, text)
