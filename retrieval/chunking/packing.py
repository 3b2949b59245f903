"""Packs split points into chunk spans: long ranges are split at the best points, tiny neighbours are merged.

Sizes are weights (see `LineIndex`): characters without indentation plus a constant per line. The numbers aim at chunks of
10 to 60 lines: what a result shows and what the encoder reads without truncation.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.chunking.line_index import LineIndex
from retrieval.chunking.outline import MAX_WHOLE_WEIGHT, Label, SplitPoint
from retrieval.types import Symbol

TARGET = 1200  # of the parts of a definition that is too long for one chunk
MERGED_BLOCKS = 1200  # statements between definitions are merged up to this weight
MERGED_DEFINITIONS = 700  # tiny definitions are merged up to this weight: about 20 lines
TINY_DEFINITION = 230  # five short lines
TINY_BLOCK = 130  # three short lines: never a useful result, so merged with a neighbour
TINY_HEADER = 400  # the header of a class without fields is merged with its first member
ONE_LINE = 60
DEPTH_COST = 0.2  # of a split point one level deeper, relative to the target size
FORCED_COST = 1.5  # of a split between lines without a syntax boundary
BLANK_GAIN = 0.5  # of such a split after a blank line


@dataclass(slots=True)
class ChunkSpan:
    """Lines first to end (exclusive) with one label. `named` is the part of the weight that belongs to the symbol. `parts`
    are the lines of each label.
    """

    first: int
    end: int
    label: Label
    weight: int
    named: int
    parts: tuple[tuple[Label, int, int], ...] = ()

    def symbols(self) -> tuple[Symbol, ...]:
        """All definitions in these lines, in line order; an outer one comes before its members."""
        symbols = []
        for label, first, end in self.parts:
            if label.symbol and label.kind not in ("section", "window"):
                at, last = label.lines_of(first, end)
                symbols.append(Symbol(label.symbol, label.kind, label.scope, at + 1, last))
            symbols += [member for member in label.members if first < member.start_line <= member.end_line <= end]
        return tuple(symbols)


def pack(lines: LineIndex, split_points: Sequence[SplitPoint]) -> list[ChunkSpan]:
    """Spans in order that cover every non-blank line."""
    spans: list[ChunkSpan] = []
    at = 0
    while at < len(split_points):
        stop = at + 1
        while stop < len(split_points) and split_points[stop].label is split_points[at].label:
            stop += 1
        end = split_points[stop].line if stop < len(split_points) else lines.count
        spans += _split(lines, split_points[at:stop], end)
        at = stop
    return _absorb(_merge_similar(spans))


def _span_of(lines: LineIndex, first: int, end: int, label: Label) -> list[ChunkSpan]:
    first, end = lines.trimmed(first, end)
    if first == end:
        return []
    weight = lines.weight(first, end)
    return [ChunkSpan(first, end, label, weight, weight if label.symbol else 0, ((label, first, end),))]


def _split(lines: LineIndex, split_points: Sequence[SplitPoint], end: int) -> list[ChunkSpan]:
    """The range of one label as spans of about equal weight."""
    label, first = split_points[0].label, split_points[0].line
    total = lines.weight(first, end)
    if total <= MAX_WHOLE_WEIGHT:
        return _span_of(lines, first, end, label)
    spans: list[ChunkSpan] = []
    shallow = min((cut.depth for cut in split_points[1:]), default=0)
    while (total := lines.weight(first, end)) > MAX_WHOLE_WEIGHT:
        target = total / max(2, round(total / TARGET))
        line = _best_split_line(lines, split_points, first, end, target, shallow)
        spans += _span_of(lines, first, line, label)
        first = line
    return spans + _span_of(lines, first, end, label)


def _best_split_line(
    lines: LineIndex, split_points: Sequence[SplitPoint], first: int, end: int, target: float, shallow: int
) -> int:
    before = lines.weight_before(first)
    best, best_cost = first, float("inf")
    low, high = before + target * 0.5, before + max(target * 1.35, target)
    # Only split points in range are examined: 1 MB of CSS has thousands, for each of a thousand spans.
    for index in range(bisect_left(split_points, first, key=_split_line), len(split_points)):
        cut = split_points[index]
        weight_here = lines.weight_before(cut.line)
        if weight_here > high:
            break
        if low <= weight_here <= high and first < cut.line < end:
            cost = abs(weight_here - before - target) / target + DEPTH_COST * (cut.depth - shallow)
            if cost < best_cost:
                best, best_cost = cut.line, cost
    if best > first and best_cost < FORCED_COST:
        return best
    for line in range(lines.line_with_weight(int(low)), min(lines.line_with_weight(int(high)) + 1, end)):
        if line <= first:
            continue
        cost = abs(lines.weight_before(line) - before - target) / target + FORCED_COST
        cost -= BLANK_GAIN if lines.is_blank(line - 1) else 0
        if cost < best_cost:
            best, best_cost = line, cost
    return best if best > first else min(first + 1, end)


def _split_line(cut: SplitPoint) -> int:
    return cut.line


def _merge_similar(spans: list[ChunkSpan]) -> list[ChunkSpan]:
    """Statements with statements, tiny definitions with tiny definitions, overloads with each other."""
    merged: list[ChunkSpan] = []
    for span in spans:
        if merged and _can_merge(merged[-1], span):
            merged[-1] = _merged(merged[-1], span, merged[-1].label)
        else:
            merged.append(span)
    return merged


def _can_merge(left: ChunkSpan, right: ChunkSpan) -> bool:
    a, b = left.label, right.label
    if a is b or a.home != b.home or a.language != b.language:
        return False
    total = left.weight + right.weight
    if a.kind == "block" and b.kind == "block":
        return total <= MERGED_BLOCKS
    if a.kind == "block" or b.kind == "block":
        return False
    if b.is_split or a.is_split:
        return False  # the header of a long class keeps its name
    if a.symbol == b.symbol and a.scope == b.scope and a.kind == b.kind:
        return total <= MERGED_BLOCKS
    return right.weight <= TINY_DEFINITION and left.weight <= MERGED_DEFINITIONS and total <= MERGED_DEFINITIONS


def _absorb(spans: list[ChunkSpan]) -> list[ChunkSpan]:
    """Merge spans that are too small into the next definition, else the previous one."""
    spans_kept: list[ChunkSpan] = []
    for span in spans:
        label = _absorbing_label(spans_kept[-1], span) if spans_kept else None
        if label is None:
            spans_kept.append(span)
        else:
            spans_kept[-1] = _merged(spans_kept[-1], span, label)
    return spans_kept


def _absorbing_label(last: ChunkSpan, span: ChunkSpan) -> Label | None:
    """The label of two merged neighbours; None if both stay separate."""
    outer, inner = last.label, span.label
    if last.weight + span.weight > MAX_WHOLE_WEIGHT or outer.language != inner.language:
        return None
    if outer.kind == "section":  # a heading with only deeper headings below it, or front matter
        below = _within(span, last) or not outer.symbol
        return inner if last.weight <= TINY_BLOCK and below else None
    if outer.kind == "class" and last.weight <= TINY_HEADER and inner.home == outer.inside:
        if inner.kind != "class":
            return outer
        return inner if last.weight <= ONE_LINE else None  # `module Shop` in front of a class
    return _adjacent_label(last, span)


def _adjacent_label(last: ChunkSpan, span: ChunkSpan) -> Label | None:
    """The label of two neighbours of which one is a tiny block."""
    outer, inner = last.label, span.label
    if outer.home == inner.inside and span.weight <= TINY_BLOCK:
        return outer  # the end of a function after a nested one
    if outer.home != inner.home:
        return None
    declared = bool(outer.symbol) and outer.symbol == inner.symbol  # in front of its own definition
    if outer.kind == "block" and (declared or last.weight <= TINY_BLOCK):
        return inner
    return outer if inner.kind == "block" and span.weight <= TINY_BLOCK else None


def _within(inner: ChunkSpan, outer: ChunkSpan) -> bool:
    return bool(outer.label.inside) and inner.label.scope == outer.label.inside


def _merged(left: ChunkSpan, right: ChunkSpan, label: Label) -> ChunkSpan:
    parts = left.parts + right.parts
    if left.label.kind == right.label.kind == "block":
        bigger = left if left.named >= right.named else right
        return ChunkSpan(left.first, right.end, bigger.label, left.weight + right.weight, bigger.named, parts)
    return ChunkSpan(left.first, right.end, label, left.weight + right.weight, left.weight + right.weight, parts)
