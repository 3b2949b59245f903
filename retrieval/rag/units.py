"""What a context is made of: units of lines that belong together, each with forms from a signature to all of its lines.

A hit is one or several units: the chunk that was found, and the neighbors that were merged with it. The forms of a unit are sets
of line numbers that grow: its signature, with the lines that answer the query, all of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from retrieval.types import Chunk, Hit, Location

Form = Literal["signature", "outline", "whole"]
# Path, first and last line -> the chunks of the file that have one of these lines, in line order.
Chunks = Callable[[str, int, int], Sequence[Chunk]]

LINE_BREAK = re.compile(r"\r\n|\r|\n")  # line ends, for editors and for the index
SIGNATURE_LINES = 5  # of a definition with its parameters on separate lines
# Lines shown before and after a line that answers the query. Where a changed function is asked for, the outline of its chunk has a
# changed line in 3 of 4 cases, for half of its tokens; recall at 4,000 tokens by this number: 2 .610, 3 .636, 4 .639, 6 .630.
AROUND = 3


@dataclass(frozen=True, slots=True)
class Unit:
    """Lines of one file. `worth` is the chance that they are what is asked for, relative to those of other units."""

    rank: int  # of its hit
    worth: float
    path: str
    language: str
    symbol: str  # qualified name of what is defined there; "" if nothing is
    first: int
    lines: tuple[str, ...]
    signature: frozenset[int]  # numbers of lines, as in the next one
    salient: frozenset[int] = frozenset()
    copies: tuple[Location, ...] = ()  # where the same text stands as well
    cell: Location | None = None  # where a notebook's cell stands; its lines are not those of the file
    related: bool = False  # not of a hit: only its signature is shown

    @property
    def last(self) -> int:
        return self.first + len(self.lines) - 1

    @property
    def numbers(self) -> frozenset[int]:
        return frozenset(range(self.first, self.last + 1))


def no_chunks(_path: str, _first: int, _last: int) -> Sequence[Chunk]:
    """No chunk of a file is known: each hit is one unit."""
    return ()


def units_of(hit: Hit, rank: int, worth: float, neighbor: float, chunks_of: Chunks = no_chunks) -> Iterator[Unit]:
    """The chunk that was found, and those that were merged with it, which are worth a fraction of it."""
    rows, chunk = tuple(LINE_BREAK.split(hit.text)), hit.chunk
    if chunk.kind == "cell" or len(rows) != hit.end_line - hit.start_line + 1:
        if hit.text.strip():
            names = (chunk.path, chunk.language, chunk.qualified)
            cell = Location(chunk.path, hit.start_line, hit.end_line)
            yield Unit(rank, worth, *names, hit.start_line, rows, frozenset(), copies=hit.copies, cell=cell)
        return
    by_number = dict(enumerate(rows, hit.start_line))
    parts: list[Chunk] = []
    if (hit.start_line, hit.end_line) != (chunk.start_line, chunk.end_line):
        parts = [part for part in chunks_of(chunk.path, hit.start_line, hit.end_line) if _is_part(part, hit)]
    if len(parts) > 1 and all(LINE_BREAK.split(part.text)[0] == by_number[part.start_line] for part in parts):
        for part in parts:
            found = part.start_line == chunk.start_line
            yield from unit_of(
                part,
                range(part.start_line, part.end_line + 1),
                by_number,
                hit,
                rank,
                worth if found else worth * neighbor,
            )
    else:  # one chunk, or the index has changed since the search
        yield from unit_of(chunk, range(hit.start_line, hit.end_line + 1), by_number, hit, rank, worth)


def _is_part(part: Chunk, hit: Hit) -> bool:
    return part.kind != "cell" and hit.start_line <= part.start_line and part.end_line <= hit.end_line


def unit_of(
    part: Chunk, numbers: range, rows: Mapping[int, str], hit: Hit | None, rank: int, worth: float
) -> Iterator[Unit]:
    """The unit without blank lines at either end, none for blank lines alone."""
    written = [n for n in numbers if rows[n].strip()]
    if not written:
        return
    first, last = written[0], written[-1]
    lines = tuple(rows[n] for n in range(first, last + 1))
    signature = frozenset(signature_lines(part.symbol, lines, first))
    salient = frozenset(n for n in hit.salient_lines if first <= n <= last) if hit else frozenset[int]()
    copies = hit.copies if hit else ()
    names = (part.path, part.language, part.qualified)
    yield Unit(rank, worth, *names, first, lines, signature, salient, copies, related=hit is None)


def forms(unit: Unit) -> list[tuple[Form, frozenset[int]]]:
    """The forms of a unit, each with more lines than the one before."""
    everything = unit.numbers
    if unit.cell:
        return [("whole", everything)]
    if unit.related:
        return [("signature", unit.signature)]
    near = frozenset(n for line in unit.salient for n in range(line - AROUND, line + AROUND + 1)) & everything
    out: list[tuple[Form, frozenset[int]]] = []
    shorter: tuple[tuple[Form, frozenset[int]], ...] = (
        ("signature", unit.signature),
        ("outline", unit.signature | near),
    )
    for name, lines in shorter:
        if len(everything) - len(lines) <= 1:  # an ellipsis costs as much as a line
            break
        if not out or len(lines) > len(out[-1][1]):
            out.append((name, lines))
    return [*out, ("whole", everything)]


def signature_lines(symbol: str, lines: Sequence[str], start: int) -> list[int]:
    """The line with the defined name and its parameters; else the first line."""
    first = next((i for i, line in enumerate(lines) if symbol and _has_word(line, symbol)), 0)
    numbers, open_brackets = [], 0
    for number, line in enumerate(lines[first : first + SIGNATURE_LINES], start + first):
        numbers.append(number)
        open_brackets += line.count("(") + line.count("[") - line.count(")") - line.count("]")
        if open_brackets <= 0:
            break
    return numbers


def _has_word(line: str, word: str) -> bool:
    """A pattern would be compiled for each of a hundred symbols of a context, which takes longer than all else of a unit."""
    at = line.find(word)
    while at >= 0:
        end = at + len(word)
        if not _is_letter(line[at - 1 : at]) and not _is_letter(line[end : end + 1]):
            return True
        at = line.find(word, at + 1)
    return False


def _is_letter(character: str) -> bool:
    return character.isalnum() or character == "_"


def file_lines(chunks: Iterable[Chunk]) -> dict[int, str]:
    """The lines of a file by number, without the blank lines between chunks."""
    lines: dict[int, str] = {}
    for chunk in chunks:
        if chunk.kind != "cell":
            for number, line in enumerate(LINE_BREAK.split(chunk.text), chunk.start_line):
                lines.setdefault(number, line)
    return lines
