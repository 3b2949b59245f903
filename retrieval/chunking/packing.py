"""From cuts to chunks: long stretches are split at the best cuts, tiny neighbours are put together.

Sizes are weights (see `Lines`): characters without indentation plus a little a line. The numbers aim at chunks of 10 to
60 lines, which is what an answer shows and what the encoder reads without cutting.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.chunking.line_index import Lines
from retrieval.chunking.outline import WHOLE, Cut, Label

TARGET = 1200  # of the pieces of something too long to stay whole
MERGED_BLOCKS = 1200  # statements between definitions are put together up to here
MERGED_DEFINITIONS = 700  # tiny definitions are put together up to here: about 20 lines
TINY_DEFINITION = 230  # five short lines
TINY_BLOCK = 130  # three short lines: no answer to any question, so it joins a neighbour
TINY_HEADER = 400  # the header of a class without fields joins its first member
ONE_LINE = 60
DEPTH_COST = 0.2  # of a cut one level deeper, in parts of the wanted size
FORCED_COST = 1.5  # of a cut between lines that no syntax separates
BLANK_GAIN = 0.5  # of such a cut behind a blank line


@dataclass(slots=True)
class Piece:
    """Lines first to end (exclusive) under one label. `named` is how much of the weight the symbol accounts for."""

    first: int
    end: int
    label: Label
    weight: int
    named: int


def pack(lines: Lines, cuts: Sequence[Cut]) -> list[Piece]:
    """Pieces in order that cover every line that is not blank."""
    pieces: list[Piece] = []
    at = 0
    while at < len(cuts):
        stop = at + 1
        while stop < len(cuts) and cuts[stop].label is cuts[at].label:
            stop += 1
        end = cuts[stop].line if stop < len(cuts) else lines.count
        pieces += _split(lines, cuts[at:stop], end)
        at = stop
    return _absorb(_merge_alike(pieces))


def _piece(lines: Lines, first: int, end: int, label: Label) -> list[Piece]:
    first, end = lines.trimmed(first, end)
    if first == end:
        return []
    weight = lines.weight(first, end)
    return [Piece(first, end, label, weight, weight if label.symbol else 0)]


def _split(lines: Lines, cuts: Sequence[Cut], end: int) -> list[Piece]:
    """The stretch of one label as pieces of about equal weight."""
    label, first = cuts[0].label, cuts[0].line
    total = lines.weight(first, end)
    if total <= WHOLE:
        return _piece(lines, first, end, label)
    pieces: list[Piece] = []
    shallow = min((cut.depth for cut in cuts[1:]), default=0)
    while (total := lines.weight(first, end)) > WHOLE:
        wanted = total / max(2, round(total / TARGET))
        line = _best_cut(lines, cuts, first, end, wanted, shallow)
        pieces += _piece(lines, first, line, label)
        first = line
    return pieces + _piece(lines, first, end, label)


def _best_cut(lines: Lines, cuts: Sequence[Cut], first: int, end: int, wanted: float, shallow: int) -> int:
    before = lines.weight_before(first)
    best, best_cost = first, float("inf")
    low, high = before + wanted * 0.5, before + max(wanted * 1.35, wanted)
    # Only those in reach are looked at: 1 MB of CSS has thousands, for each of a thousand pieces.
    for place in range(bisect_left(cuts, first, key=_line_of), len(cuts)):
        cut = cuts[place]
        here = lines.weight_before(cut.line)
        if here > high:
            break
        if low <= here <= high and first < cut.line < end:
            cost = abs(here - before - wanted) / wanted + DEPTH_COST * (cut.depth - shallow)
            if cost < best_cost:
                best, best_cost = cut.line, cost
    if best > first and best_cost < FORCED_COST:
        return best
    for line in range(lines.line_with_weight(int(low)), min(lines.line_with_weight(int(high)) + 1, end)):
        if line <= first:
            continue
        cost = abs(lines.weight_before(line) - before - wanted) / wanted + FORCED_COST
        cost -= BLANK_GAIN if lines.blank(line - 1) else 0
        if cost < best_cost:
            best, best_cost = line, cost
    return best if best > first else min(first + 1, end)


def _line_of(cut: Cut) -> int:
    return cut.line


def _merge_alike(pieces: list[Piece]) -> list[Piece]:
    """Statements with statements, tiny definitions with tiny definitions, overloads with each other."""
    merged: list[Piece] = []
    for piece in pieces:
        if merged and _alike(merged[-1], piece):
            merged[-1] = _joined(merged[-1], piece, merged[-1].label)
        else:
            merged.append(piece)
    return merged


def _alike(left: Piece, right: Piece) -> bool:
    a, b = left.label, right.label
    if a is b or a.home != b.home:
        return False
    total = left.weight + right.weight
    if a.kind == "block" and b.kind == "block":
        return total <= MERGED_BLOCKS
    if a.kind == "block" or b.kind == "block":
        return False
    if a.symbol == b.symbol and a.scope == b.scope and a.kind == b.kind:
        return total <= MERGED_BLOCKS
    return right.weight <= TINY_DEFINITION and left.weight <= MERGED_DEFINITIONS and total <= MERGED_DEFINITIONS


def _absorb(pieces: list[Piece]) -> list[Piece]:
    """What is too small to stand alone joins what it belongs to: the next definition, else the one before."""
    kept: list[Piece] = []
    for piece in pieces:
        label = _absorbing(kept[-1], piece) if kept else None
        if label is None:
            kept.append(piece)
        else:
            kept[-1] = _joined(kept[-1], piece, label)
    return kept


def _absorbing(last: Piece, piece: Piece) -> Label | None:
    """The label under which two neighbours become one; None where both can stand alone."""
    outer, inner = last.label, piece.label
    if last.weight + piece.weight > WHOLE:
        return None
    if outer.kind == "section":  # a heading with nothing but deeper headings below it, or front matter
        below = _within(piece, last) or not outer.symbol
        return inner if last.weight <= TINY_BLOCK and below else None
    if outer.kind == "class" and last.weight <= TINY_HEADER and inner.home == outer.inside:
        if inner.kind != "class":
            return outer
        return inner if last.weight <= ONE_LINE else None  # `module Shop` in front of a class
    return _beside(last, piece)


def _beside(last: Piece, piece: Piece) -> Label | None:
    """The label of two neighbours of which one is a tiny block."""
    outer, inner = last.label, piece.label
    if outer.home == inner.inside and piece.weight <= TINY_BLOCK:
        return outer  # the end of a function behind one nested in it
    if outer.home != inner.home:
        return None
    declared = bool(outer.symbol) and outer.symbol == inner.symbol  # in front of its own definition
    if outer.kind == "block" and (declared or last.weight <= TINY_BLOCK):
        return inner
    return outer if inner.kind == "block" and piece.weight <= TINY_BLOCK else None


def _within(inner: Piece, outer: Piece) -> bool:
    return bool(outer.label.inside) and inner.label.scope == outer.label.inside


def _joined(left: Piece, right: Piece, label: Label) -> Piece:
    if left.label.kind == right.label.kind == "block":
        bigger = left if left.named >= right.named else right
        return Piece(left.first, right.end, bigger.label, left.weight + right.weight, bigger.named)
    return Piece(left.first, right.end, label, left.weight + right.weight, left.weight + right.weight)
