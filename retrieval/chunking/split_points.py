"""Where a file is cut: by the grammar of its language, by patterns, or by both for each of its languages."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from retrieval.chunking.embedded import HOSTS, Region
from retrieval.chunking.grammars import grammar_of
from retrieval.chunking.line_index import LineIndex
from retrieval.chunking.outline import Label, Outline, SplitPoint
from retrieval.chunking.parsing import deadline, parse_source, source_for_parser
from retrieval.chunking.pattern_rules import RULES
from retrieval.chunking.patterns import splitter_for
from retrieval.chunking.structure import FileStructure, extract
from retrieval.types import Symbol

_DEFINITIONS = ("function", "method", "class")
MAX_NESTING = 2  # of files with several languages in each other
# Of code in prose that defines nothing: about 15 lines. A call that shows how something is used says little without its text.
MAX_SHORT_WEIGHT = 600


@dataclass(frozen=True, slots=True)
class _Parsing:
    """Until when the parsers may compute, and where to put what the trees define and call."""

    until: float
    structure: FileStructure | None


def split_points_of(
    language: str,
    lines: LineIndex,
    *,
    parsed: bool = True,
    until: float | None = None,
    structure: FileStructure | None = None,
) -> list[SplitPoint]:
    """The places at which a text may be cut, without a parser unless `parsed`; what it defines and calls is added to `structure`.
    Raises ParseTimeout after `until`.
    """
    if not parsed:
        return _by_patterns(language, lines)
    parsing = _Parsing(deadline() if until is None else until, structure)
    return _split_points(language, lines, parsing, MAX_NESTING)


def definitions_in(split_points: Sequence[SplitPoint]) -> list[Symbol]:
    """The functions and types of a text, in line order; an outer one comes before its members."""
    symbols: dict[tuple[str, str, int], Symbol] = {}
    for point in split_points:
        label = point.label
        own = Symbol(label.symbol, label.kind, label.scope, point.line + 1, label.last + 1)
        for symbol in (own, *label.members):
            if symbol.kind in _DEFINITIONS and symbol.name and symbol.end_line >= symbol.start_line:
                symbols.setdefault((symbol.name, symbol.scope, symbol.end_line), symbol)
    return list(symbols.values())


def _split_points(language: str, lines: LineIndex, parsing: _Parsing, nesting: int) -> list[SplitPoint]:
    host = HOSTS.get(language) if nesting else None
    regions = host.regions(lines) if host is not None else []
    return _joined(lines, regions, parsing, nesting - 1) if regions else _outline(language, lines, parsing)


def _outline(language: str, lines: LineIndex, parsing: _Parsing, *, are_members: bool = False) -> list[SplitPoint]:
    grammar = grammar_of(language)
    source = source_for_parser(language, lines.data) if grammar is not None else b""
    root = parse_source(language, source, parsing.until) if grammar is not None else None
    if root is not None and grammar is not None:
        if parsing.structure is not None:
            parsing.structure.add(extract(root, language, source, lines, parsing.until))
        outline = Outline(lines, grammar, source)
        body = next((child.child_by_field_name("body") for child in root.named_children), None) if are_members else None
        split_points = outline.walk(root) if body is None else outline.walk(body, "class")
        if not root.has_error or _has_names(split_points):
            return split_points
        by_patterns = _by_patterns(language, lines, is_broken=True)
        return by_patterns if language in RULES or _has_names(by_patterns) else split_points
    return _by_patterns(language, lines)


def _by_patterns(language: str, lines: LineIndex, *, is_broken: bool = False) -> list[SplitPoint]:
    """`is_broken`: the grammar found no name in it, so that words of definitions in any language are better than none."""
    splitter = splitter_for(language, any_rules=is_broken)
    return splitter(lines) if splitter is not None else [SplitPoint(0, Label("window"), 0)]


def _has_names(split_points: Sequence[SplitPoint]) -> bool:
    return any(point.label.symbol or point.label.members for point in split_points)


def _joined(lines: LineIndex, regions: Sequence[Region], parsing: _Parsing, nesting: int) -> list[SplitPoint]:
    """The split points of all regions, each in its own lines."""
    owners = [0] * lines.count
    outlines: list[list[SplitPoint]] = []
    for number, region in enumerate(regions):
        split_points = _of_region(region, parsing, nesting)
        outlines.append(split_points)
        if region.in_text:
            first, end = region.runs[0]
            if not _has_names(split_points) and lines.weight(first, end) <= MAX_SHORT_WEIGHT:
                continue
            _rename(split_points, _label_at(outlines[0], first))
        runs = [*region.runs, *(_definitions(split_points) if region.takes_definitions else ())]
        for first, end in runs:
            owners[first:end] = [number] * (end - first)
    return _merged(owners, outlines)


def _of_region(region: Region, parsing: _Parsing, nesting: int) -> list[SplitPoint]:
    """Its split points, in lines of the file."""
    language = region.grammar or region.language
    own = _Parsing(parsing.until, None if parsing.structure is None else FileStructure())
    if region.nested:
        split_points = _split_points(language, region.lines, own, nesting)
    else:
        split_points = _outline(language, region.lines, own, are_members=region.are_members)
    if parsing.structure is not None and own.structure is not None:
        parsing.structure.add(own.structure, region.offset)
    for label in {id(point.label): point.label for point in split_points}.values():
        label.language = label.language or region.language
        if region.offset:
            _move(label, region.offset)
    moved = [SplitPoint(point.line + region.offset, point.label, point.depth) for point in split_points]
    return _with_ends(moved)


def _move(label: Label, offset: int) -> None:
    label.last += offset if label.last >= 0 else 0
    label.first += offset if label.last >= 0 else 0
    label.members = [
        replace(member, start_line=member.start_line + offset, end_line=member.end_line + offset)
        for member in label.members
    ]


def _with_ends(split_points: list[SplitPoint]) -> list[SplitPoint]:
    """With a split point behind a definition where something else follows that is no code: the end of a tag, markup."""
    ended: list[SplitPoint] = []
    last, outer = -1, split_points[0].label
    for number, point in enumerate(split_points):
        if point.line > last:
            outer = point.label
        last = max(last, point.label.last)
        ended.append(point)
        following = split_points[number + 1].line if number + 1 < len(split_points) else last + 2
        if point.label.last >= 0 and last + 1 < following:
            label = Label("block", "", outer.home, point.label.home)  # small enough, it goes with what is before it
            label.language = outer.language
            ended.append(SplitPoint(last + 1, label, 0))
    return ended


def _rename(split_points: Sequence[SplitPoint], around: Label | None) -> None:
    """The headings around code are its scope."""
    if around is None or not around.inside:
        return
    for label in {id(point.label): point.label for point in split_points}.values():
        label.scope, label.home = _join(around.inside, label.scope), _join(around.inside, label.home)
        label.members = [replace(member, scope=_join(around.inside, member.scope)) for member in label.members]


def _join(*parts: str) -> str:
    return ".".join(part for part in parts if part)


def _label_at(split_points: Sequence[SplitPoint], line: int) -> Label | None:
    at = bisect_right(split_points, line, key=lambda point: point.line)
    return split_points[at - 1].label if at else None


def _definitions(split_points: Sequence[SplitPoint]) -> list[tuple[int, int]]:
    return [(point.line, point.label.last + 1) for point in split_points if point.label.kind in _DEFINITIONS]


def _merged(owners: Sequence[int], outlines: Sequence[Sequence[SplitPoint]]) -> list[SplitPoint]:
    merged: list[SplitPoint] = []
    line = 0
    while line < len(owners):
        end = line + 1
        while end < len(owners) and owners[end] == owners[line]:
            end += 1
        split_points = outlines[owners[line]]
        at = bisect_right(split_points, line, key=lambda point: point.line)
        if at:
            merged.append(SplitPoint(line, split_points[at - 1].label, split_points[at - 1].depth))
        while at < len(split_points) and split_points[at].line < end:
            merged.append(split_points[at])
            at += 1
        line = end
    return merged
