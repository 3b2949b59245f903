"""Code of one file that is almost the same as code elsewhere.

The vectors say what could be the same: a copy is among the nearest chunks. Whether it is one the text decides, because
vectors are close for whatever is about the same: what two chunks share of their runs of tokens, without comments,
docstrings and layout. Names count: accessors and tests of one family differ in nothing else, and are no copies.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from retrieval.encoders import Encoder
from retrieval.search.snapshot import Snapshot
from retrieval.types import Chunk, Duplicate

VectorsOf = Callable[[Encoder, Sequence[Chunk]], Sequence[NDArray[np.float32] | None]]

# The numbers were tried on Django, FastAPI, Zod, libuv and Monolog: 213 of some 2,700 chunks were almost the same as
# another, all of them to a reader as well (copies, or variants that differ in a name or two).
KINDS = frozenset({"function", "method", "class"})
FEWEST_LINES = 6  # with code; what is shorter is alike by nature
FEWEST_TOKENS = 40  # six lines can be a table, or a chain of calls
MOST_CHUNKS = 300  # of one file are looked at: some 10,000 lines
NEAREST = 6  # neighbours are compared as text: all but one of the pairs were among them, four of five were the nearest
FARTHEST = 0.7  # cosine; the lowest of the pairs had 0.756
RUN = 3  # tokens; a name that is changed spoils so many runs
ALIKE = 0.85  # of the runs are in both; from 0.8 on there are many siblings that have to be as they are

_COMMENT = re.compile(
    r'"""(?:[^\\]|\\.)*?"""|\'\'\'(?:[^\\]|\\.)*?\'\'\'|/\*.*?\*/|(?m:^)[ \t]*(?:#(?!\w)|//|--[ \t]|;;)[^\n]*',
    re.DOTALL,
)
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|\w+|[^\w\s]')


def near_duplicates(
    snapshot: Snapshot, path: str, vectors_of: VectorsOf, check: Callable[[], None]
) -> tuple[Duplicate, ...]:
    """The chunks of a file that are almost the same as one elsewhere, each with the most alike. `vectors_of` gives the
    vectors of chunks that have one; nothing is embedded. Raises what `check` raises, which is called between chunks.
    """
    if snapshot.encoder is None or snapshot.index is None:
        return ()
    rows = [(row, chunk) for row, chunk in snapshot.rows.file_chunks(path) if _worth_it(chunk)][:MOST_CHUNKS]
    vectors = vectors_of(snapshot.encoder, [chunk for _, chunk in rows])
    found = []
    for (row, chunk), vector in zip(rows, vectors, strict=True):
        check()
        if vector is not None:
            near, cosines = snapshot.index.search(vector, NEAREST + 1)
            others = near[(near != row) & (cosines >= FARTHEST)].tolist()
            found.append(_best(chunk, snapshot.rows.chunks(others).values()))
    return tuple(duplicate for duplicate in found if duplicate is not None)


def likeness(one: str, other: str) -> float:
    """How much of two pieces of code is the same, 0 to 1: Dice's measure over their runs of tokens."""
    first, second = _runs(one), _runs(other)
    total = first.total() + second.total()
    return 2 * (first & second).total() / total if total else 0.0


def _worth_it(chunk: Chunk) -> bool:
    lines = sum(bool(line.strip()) for line in _COMMENT.sub("", chunk.text).splitlines())
    return chunk.kind in KINDS and lines >= FEWEST_LINES and len(_tokens(chunk.text)) >= FEWEST_TOKENS


def _best(chunk: Chunk, others: Iterable[Chunk]) -> Duplicate | None:
    """The most alike of the others that is alike enough."""
    best = None
    for other in others:
        apart = other.path != chunk.path or other.start_line > chunk.end_line or other.end_line < chunk.start_line
        if apart and other.language == chunk.language and _similar_size(chunk, other):
            alike = likeness(chunk.text, other.text)
            if alike >= ALIKE and (best is None or alike > best.likeness):
                best = Duplicate(chunk, other, alike)
    return best


def _similar_size(one: Chunk, other: Chunk) -> bool:
    """Whether so much of the longer one can be in the shorter one."""
    short, long = sorted((len(_tokens(one.text)), len(_tokens(other.text))))
    return 2 * short >= ALIKE * (short + long)


@lru_cache(maxsize=512)
def _tokens(text: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(_COMMENT.sub(" ", text)))


def _runs(text: str) -> Counter[tuple[str, ...]]:
    tokens = _tokens(text)
    return Counter(tokens[n : n + RUN] for n in range(max(1, len(tokens) - RUN + 1)))
