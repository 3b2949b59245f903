"""Packs hits into a context for an assistant, within a token budget.

Each hit is worth its chance to be what is asked for, which falls with its rank; tests are worth less unless they are asked for.
The budget is filled by marginal worth: the best functions whole, others as outlines (signature and the lines that answer), the
rest as signatures, so that what does not fit is at least named. Then come signatures of what the best refer to. Files are
ordered by their best hit, tests last, the lines of a file by number. Nothing here reads an index or a file.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from retrieval.rag.knapsack import Chooser, Key, Selection, key_of
from retrieval.rag.spans import ContextSpan, TextFormat, ellipsis, render
from retrieval.rag.token_estimate import TokenCounter, estimate_tokens
from retrieval.rag.truncation import first_lines
from retrieval.rag.units import Chunks, Unit, file_lines, no_chunks, units_of
from retrieval.search.path_kinds import kind_of
from retrieval.types import Hit

# A chunk that was merged with the one that was found holds a changed line 0.7 times as often for its tokens; at 4,000 tokens
# 0.3 shows more of them than 0.6 (.619 against .610).
NEIGHBOR_WORTH = 0.3
TEST_WORTH = 0.3
# A gap of so many lines is shown: an ellipsis costs as much. Blank lines are looked up in gaps of at most GAP.
SHOWN_GAP = 1
GAP = 3
ASKS_FOR_TESTS = re.compile(r"\b(tests?|testing|specs?|fixtures?|mock(s|ed|ing)?)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Context:
    """Text for an assistant, and its spans. `left_out` counts the hits of which nothing is shown."""

    text: str
    spans: tuple[ContextSpan, ...]
    tokens: int
    budget: int
    left_out: int


@dataclass(frozen=True, slots=True)
class PackOptions:
    """How hits are packed, whatever they are."""

    count: TokenCounter = estimate_tokens
    text_format: TextFormat = "markdown"
    tests: bool = False  # tests are asked for: they stand where their rank says


DEFAULT_OPTIONS = PackOptions()


def pack(
    hits: Sequence[Hit],
    budget: int,
    options: PackOptions = DEFAULT_OPTIONS,
    *,
    chunks_of: Chunks = no_chunks,
    related: Iterable[Unit] = (),
) -> Context:
    """The hits, best first, as a context of at most `budget` tokens; then what is related to them."""
    units = [unit for rank, hit in enumerate(hits) for unit in _units(hit, rank, chunks_of, options)]
    chooser = Chooser([*units, *related], options.count)
    chooser.choose(budget)
    text, sections = _render(chooser.selection, options, chunks_of)
    if 0 < (tokens := options.count(text)) < budget:  # lines cost less together than one by one
        before = len(chooser.selection.order)
        chooser.choose(chooser.spent + budget - tokens)
        if len(chooser.selection.order) > before or _grow(chooser.selection, units, budget - tokens, options.count):
            text, sections = _render(chooser.selection, options, chunks_of)
    while chooser.selection.order and options.count(text) > budget:  # for this counter the sum exceeds the parts
        chooser.drop_last()
        text, sections = _render(chooser.selection, options, chunks_of)
    shown = {unit.rank for unit, _, _ in chooser.selection.order if not unit.related}
    spans = tuple(span for section in sections for span in section)
    empty = {rank for rank, hit in enumerate(hits) if not hit.text.strip()}
    return Context(text, spans, options.count(text) if text else 0, budget, len(hits) - len(shown | empty))


def is_test_path(path: str, language: str) -> bool:
    return kind_of(path, language) == "test"


def _units(hit: Hit, rank: int, chunks_of: Chunks, options: PackOptions) -> Iterator[Unit]:
    """A hit's units. Of the questions of the benchmarks the first hit answers a third, the second a tenth, the tenth a fiftieth."""
    worth = 1 / (rank + 1)
    if not options.tests and is_test_path(hit.chunk.path, hit.chunk.language):
        worth *= TEST_WORTH
    return units_of(hit, rank, worth, NEIGHBOR_WORTH, chunks_of)


def _grow(selection: Selection, units: Sequence[Unit], room: int, count: TokenCounter) -> bool:
    """Fill what is left of the budget with first lines of the best unit that is not whole. Whether there is one."""
    for unit in units:
        missing = unit.numbers - selection.lines.get(key_of(unit), set())
        if missing and not unit.cell:
            lines = first_lines(unit, missing, room, count)
            if lines:
                selection.order.append((unit, "outline", lines))
                selection.lines[key_of(unit)] |= lines
            return bool(lines)
    return False


def _render(selection: Selection, options: PackOptions, chunks_of: Chunks) -> tuple[str, list[list[ContextSpan]]]:
    by_key: dict[Key, list[Unit]] = defaultdict(list)
    for unit, _, _ in selection.order:
        by_key[key_of(unit)].append(unit)

    def order(key: Key) -> tuple[bool, bool, int, Key]:
        units = by_key[key]
        last = not options.tests and is_test_path(units[0].path, units[0].language)
        return last, all(unit.related for unit in units), min(unit.rank for unit in units), key

    sections = [_spans(by_key[key], selection.lines[key], chunks_of) for key in sorted(by_key, key=order)]
    return render(sections, options.text_format), sections


def _spans(units: Sequence[Unit], lines: set[int], chunks_of: Chunks) -> list[ContextSpan]:
    """The shown lines of a file as spans: each is of units that touch, with ellipses where lines of a unit are missing."""
    if cell := units[0].cell:
        unit, shown = units[0], ((cell.first_line, cell.last_line),)
        text = "\n".join(unit.lines)
        return [ContextSpan(unit.path, *shown[0], "code", text, unit.language, unit.symbol, unit.copies, shown)]
    rows = {n: line for unit in units for n, line in enumerate(unit.lines, unit.first)}
    owner = {n: unit for unit in sorted(units, key=lambda unit: -unit.rank) for n in unit.numbers}
    for n, line in _gap_lines(units[0].path, sorted(lines), rows, chunks_of):
        rows[n] = line
        owner.setdefault(n, owner[n - 1])
        lines = lines | {n}
    spans: list[ContextSpan] = []
    group: list[int] = []
    for number in sorted(lines):
        if group and number > group[-1] + 1 and owner[number] is not owner[group[-1]]:
            spans.append(_span(group, rows, owner))
            group = []
        group.append(number)
    return [*spans, _span(group, rows, owner)]


def _gap_lines(path: str, shown: Sequence[int], rows: dict[int, str], chunks_of: Chunks) -> Iterator[tuple[int, str]]:
    """The lines between two that are shown where they cost no more than an ellipsis: few, or blank. Lines in no chunk are blank."""
    gaps = [(one, other) for one, other in pairwise(shown) if other > one + 1]
    unknown = [(a, b) for a, b in gaps if b - a <= GAP + 1 and not all(n in rows for n in range(a, b))]
    stored = file_lines(chunks_of(path, unknown[0][0], unknown[-1][1])) if unknown else {}
    for one, other in gaps:
        between = range(one + 1, other)
        if all(n in rows for n in between):
            lines = [rows[n] for n in between]
        elif (
            stored.get(one) == rows[one] and stored.get(other) == rows[other]
        ):  # else the index has changed since the search
            lines = [stored.get(n, "") for n in between]
        else:
            continue
        if len(lines) <= SHOWN_GAP or not any(map(str.strip, lines)):
            yield from zip(between, lines, strict=True)


def _span(numbers: Sequence[int], rows: dict[int, str], owner: dict[int, Unit]) -> ContextSpan:
    grouped = groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])
    runs = [[number for _, number in run] for _, run in grouped]
    lines: list[str] = []
    for run in runs:
        if lines:
            following = rows[run[0]]
            lines.append(following[: len(following) - len(following.lstrip())] + ellipsis(run[0]))
        lines += [rows[n] for n in run]
    units = list(dict.fromkeys(owner[n] for n in numbers))
    symbols = {unit.symbol for unit in units}
    whole = all(unit.numbers <= set(numbers) for unit in units)
    copies = tuple(dict.fromkeys(copy for unit in units for copy in unit.copies))
    return ContextSpan(
        units[0].path,
        numbers[0],
        numbers[-1],
        "code" if whole and len(runs) == 1 else "outline",
        "\n".join(lines),
        units[0].language,
        symbols.pop() if len(symbols) == 1 else "",
        copies,
        tuple((run[0], run[-1]) for run in runs),
    )
