"""Code of one file that is almost the same as code elsewhere.

The vectors say what could be the same: a copy is among the nearest chunks. Whether it is one the text decides, because
vectors are close for whatever is about the same: what two chunks share of their runs of tokens, without comments,
docstrings and layout. Names count: accessors and tests of one family differ in nothing else, and are no copies.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from retrieval.encoders import Encoder
from retrieval.search.snapshot import Snapshot
from retrieval.types import Chunk, Duplicate

VectorsOf = Callable[[Encoder, Sequence[Chunk]], Sequence[NDArray[np.float32] | None]]

# The numbers were tried on Django, FastAPI, Zod, libuv and Monolog: 213 of some 2,700 chunks were almost the same as
# another; 25 of them were read, and were copies, or variants that differ in a name or two.
KINDS = frozenset({"function", "method", "class"})
FEWEST_LINES = 6  # with code; what is shorter is alike by nature
FEWEST_TOKENS = 40  # six lines can be a table, or a chain of calls
MOST_CHUNKS = 300  # of one file are looked at: some 10,000 lines
NEAREST = 6  # neighbours are compared as text: all but one of the pairs were among them, four of five were the nearest
FARTHEST = 0.7  # cosine; the lowest of the pairs had 0.756
RUN = 3  # tokens; a name that is changed spoils so many runs
ALIKE = 0.85  # of the runs are in both; from 0.8 on there are many siblings that have to be as they are

_COMMENT = re.compile(r'"""|\'\'\'|/\*|^[ \t]*(?:#(?!\w)|//|--[ \t]|;;)[^\n]*', re.MULTILINE)
_ENDS = {
    '"""': re.compile(r'(?:[^\\]|\\.)*?"""', re.DOTALL),
    "'''": re.compile(r"(?:[^\\]|\\.)*?'''", re.DOTALL),
    "/*": re.compile(r".*?\*/", re.DOTALL),
}
# A quote behind a backslash begins no string: it would be read once for each in a string that does not end.
_TOKEN = re.compile(r'(?<!\\)"(?:[^"\\\n]|\\.)*"|(?<!\\)\'(?:[^\'\\\n]|\\.)*\'|\w+|[^\w\s]')


@dataclass(frozen=True, slots=True)
class KnownDuplicates:
    """The duplicates of a file at some revision of the index: by the text of a chunk, the one that is like it, or None."""

    revision: int = -1
    others: Mapping[str, Chunk | None] = field(default_factory=dict)


def near_duplicates(
    snapshot: Snapshot,
    path: str,
    vectors_of: VectorsOf,
    check: Callable[[], None],
    known_others: Mapping[str, Chunk | None],
) -> tuple[tuple[Duplicate, ...], dict[str, Chunk | None]]:
    """The chunks of a file that are almost the same as one elsewhere, each with the most alike; and what is known then.

    Of the chunks in `known_others` it is only checked whether the other one is still there: a search for each costs
    milliseconds in a large workspace, and an edit changes few. So what becomes a copy in an open buffer is said there at
    once, and of the other one after the next change of the index. `vectors_of` gives the vectors of chunks that have one;
    nothing is embedded. Raises what `check` raises, which is called between chunks.
    """
    if snapshot.encoder is None or snapshot.index is None:
        return (), {}
    rows = [(row, chunk) for row, chunk in snapshot.rows.file_chunks(path) if _worth_it(chunk)][:MOST_CHUNKS]
    others = {
        row: _still_there(snapshot, chunk, known_others[chunk.text])
        for row, chunk in rows
        if chunk.text in known_others
    }
    new = [
        (row, chunk)
        for row, chunk in rows
        if chunk.text not in known_others or (known_others[chunk.text] and not others[row])
    ]
    vectors = vectors_of(snapshot.encoder, [chunk for _, chunk in new])
    for (row, chunk), vector in zip(new, vectors, strict=True):
        check()
        if vector is not None:
            near, cosines = snapshot.index.search(vector, NEAREST + 1)
            candidates = near[(near != row) & (cosines >= FARTHEST)].tolist()
            others[row] = _most_alike(chunk, snapshot.rows.chunks(candidates).values())
    pairs = [(chunk, others[row]) for row, chunk in rows if row in others]
    duplicates = (Duplicate(chunk, other, likeness(chunk.text, other.text)) for chunk, other in pairs if other)
    return tuple(duplicates), {chunk.text: other for chunk, other in pairs}


def likeness(one: str, other: str) -> float:
    """How much of two pieces of code is the same, 0 to 1: Dice's measure over their runs of tokens."""
    first, second = _runs(one), _runs(other)
    total = first.total() + second.total()
    return 2 * (first & second).total() / total if total else 0.0


def _worth_it(chunk: Chunk) -> bool:
    lines = sum(bool(line.strip()) for line in _without_comments(chunk.text).splitlines())
    return chunk.kind in KINDS and lines >= FEWEST_LINES and len(_tokens(chunk.text)) >= FEWEST_TOKENS


def _still_there(snapshot: Snapshot, chunk: Chunk, other: Chunk | None) -> Chunk | None:
    """The other one where it is now."""
    rows = snapshot.rows.file_chunks(other.path) if other else ()
    return next((now for _, now in rows if other and now.text == other.text and _apart(chunk, now)), None)


def _most_alike(chunk: Chunk, others: Iterable[Chunk]) -> Chunk | None:
    """The most alike of the others that is alike enough."""
    fitting = (o for o in others if _apart(chunk, o) and o.language == chunk.language and _similar_size(chunk, o))
    alike, best = max(
        ((likeness(chunk.text, o.text), o) for o in fitting), key=lambda pair: pair[0], default=(0.0, None)
    )
    return best if alike >= ALIKE else None


def _apart(one: Chunk, other: Chunk) -> bool:
    return one.path != other.path or one.start_line > other.end_line or one.end_line < other.start_line


def _similar_size(one: Chunk, other: Chunk) -> bool:
    """Whether so much of the longer one can be in the shorter one."""
    short, long = sorted((len(_tokens(one.text)), len(_tokens(other.text))))
    return 2 * short >= ALIKE * (short + long)


def _without_comments(text: str, gap: str = "") -> str:
    """A text without comments and docstrings. What one of them lacks to its end, none of that kind behind it has."""
    kept: list[str] = []
    at = end = 0
    unclosed: set[str] = set()
    while (found := _COMMENT.search(text, at)) is not None:
        mark = found[0]
        closed = None if mark in unclosed else found
        if mark in _ENDS and closed is not None:
            closed = _ENDS[mark].match(text, found.end())
        if closed is None:
            unclosed.add(mark)
            at = found.start() + 1
        else:
            kept += (text[end : found.start()], gap)
            at = end = closed.end()
    return "".join((*kept, text[end:]))


@lru_cache(maxsize=512)
def _tokens(text: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(_without_comments(text, " ")))


def _runs(text: str) -> Counter[tuple[str, ...]]:
    tokens = _tokens(text)
    return Counter(tokens[n : n + RUN] for n in range(max(1, len(tokens) - RUN + 1)))
