"""Equal and nearly equal texts in an answer are one hit, which lists its other places.

What is copied, vendored twice, generated for each platform or checked out again would otherwise fill a list with one and
the same code. Of the candidates' headers those are picked that could be copies; only their texts are read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from retrieval.search.duplicates import similarity
from retrieval.search.merging import GAP
from retrieval.search.ranking import Ranked
from retrieval.store import ChunkText, Header
from retrieval.types import Chunk, Location

# Below so many bytes two texts are copies only if they are equal: what is short is alike by nature.
NEARLY_MIN_BYTES = 200
# How alike two texts must be, and how much their sizes may differ. From 0.85 on there are variants that were made on purpose.
NEARLY, SIZE_RATIO = 0.92, 0.9
# ... and how much if only their layout does: tabs for spaces.
LAYOUT_RATIO = 0.7
# Lines that nearly equal texts share at the least: a name that is changed spoils one.
LINE_SHARE = 0.5
# Texts that one is compared with at most: a name as common as `__init__` costs no milliseconds.
MOST_COMPARED = 12


def fold_copies(ranked: Sequence[Ranked], texts_of: Callable[[Sequence[int]], Mapping[int, ChunkText]]) -> list[Ranked]:
    """The candidates without those that repeat a better one, which gets their places."""
    groups: dict[tuple[object, ...], list[Ranked]] = defaultdict(list)
    for candidate in ranked:
        chunk = candidate.chunk
        lines = 0 if chunk.symbol else chunk.end_line - chunk.start_line
        groups[chunk.language, chunk.kind, chunk.symbol, lines].append(candidate)
    possible = [some for group in groups.values() if len(group) > 1 and (some := _possible(group))]
    if not possible:
        return list(ranked)
    texts = texts_of([candidate.id for some in possible for candidate in some])
    copies: dict[int, list[Chunk | Header]] = defaultdict(list)
    gone: set[int] = set()
    for some in possible:
        by_text: dict[str, int] = {}
        kept: list[_Compared] = []
        for candidate in (each for each in some if each.id in texts):
            text = texts[candidate.id].text
            plain = " ".join(text.split())
            original = by_text.get(plain)
            if original is None:
                compared = _Compared(candidate.id, candidate.chunk.path, bool(candidate.chunk.symbol), text)
                near = (each.id for each in kept if _can_be_near(compared, each) and _nearly(compared, each))
                original = by_text[plain] = next(near, candidate.id)
                if original == candidate.id and len(kept) < MOST_COMPARED:
                    kept.append(compared)
            if original != candidate.id:
                copies[original].append(candidate.chunk)
                gone.add(candidate.id)
    left = (candidate for candidate in ranked if candidate.id not in gone)
    return [replace(each, copies=tuple(copies[each.id])) if each.id in copies else each for each in left]


def places(chunks: Sequence[Chunk | Header]) -> tuple[Location, ...]:
    """Where copies stand, by path and line; those that touch are one place."""
    out: list[Location] = []
    for chunk in sorted(chunks, key=lambda chunk: (chunk.path, chunk.start_line)):
        if out and out[-1].path == chunk.path and chunk.start_line <= out[-1].last_line + GAP:
            last = max(out[-1].last_line, chunk.end_line)
            out[-1] = replace(out[-1], last_line=last)
        else:
            out.append(Location(chunk.path, chunk.start_line, chunk.end_line))
    return tuple(out)


def _possible(group: Sequence[Ranked]) -> list[Ranked]:
    """Those of a group that are as large as another one."""
    sizes = sorted(_size(candidate) for candidate in group)
    close = {size for pair in pairwise(sizes) if pair[0] >= LAYOUT_RATIO * pair[1] for size in pair}
    return [candidate for candidate in group if _size(candidate) in close]


def _size(candidate: Ranked) -> int:
    return candidate.chunk.end_byte - candidate.chunk.start_byte


@dataclass(frozen=True)
class _Compared:
    """A candidate that others are compared with."""

    id: int
    path: str
    named: bool
    text: str

    @cached_property
    def size(self) -> int:
        return len(self.text)

    @cached_property
    def file_name(self) -> str:
        return self.path.rsplit("/", 1)[-1]

    @cached_property
    def lines(self) -> frozenset[str]:
        return frozenset(map(str.strip, self.text.split("\n")))


def _can_be_near(one: _Compared, other: _Compared) -> bool:
    """Whether two texts are large and alike in size, in different files, and define the same or stand in files of one name."""
    short, long = (one.size, other.size) if one.size < other.size else (other.size, one.size)
    if short < NEARLY_MIN_BYTES or short < SIZE_RATIO * long:
        return False
    return one.path != other.path and (one.named or one.file_name == other.file_name)


def _nearly(one: _Compared, other: _Compared) -> bool:
    """Whether two texts differ in little. Most pairs differ in most lines, which is told ten times as fast."""
    same = len(one.lines & other.lines) >= LINE_SHARE * max(len(one.lines), len(other.lines))
    return same and similarity(one.text, other.text) >= NEARLY
