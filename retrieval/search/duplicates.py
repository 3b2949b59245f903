"""Code of one file that is almost the same as code elsewhere.

Vectors propose candidates: a copy is among the nearest chunks. The text decides, because vectors are close for whatever is
about the same topic: the overlap of two chunks' token shingles, without comments, docstrings and layout. Identifiers count:
accessors and tests of one family differ in nothing else, and are no copies.
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
MIN_LINES = 6  # with code; shorter chunks are similar by nature
MIN_TOKENS = 40  # six lines can be a table, or a chain of calls
MAX_CHUNKS = 300  # of one file are looked at: some 10,000 lines
NEIGHBORS = (
    6  # neighbours are compared as text: all but one of the pairs were among them, four of five were the nearest
)
MIN_COSINE = 0.7  # the lowest of the pairs had 0.756
SHINGLE_TOKENS = 3  # a renamed identifier changes so many shingles
MIN_SIMILARITY = 0.85  # Dice; from 0.8 on there are many siblings that have to be as they are

_COMMENT = re.compile(r'"""|\'\'\'|/\*|^[ \t]*(?:#(?!\w)|//|--[ \t]|;;)[^\n]*', re.MULTILINE)
_ENDS = {
    '"""': re.compile(r'(?:[^\\]|\\.)*?"""', re.DOTALL),
    "'''": re.compile(r"(?:[^\\]|\\.)*?'''", re.DOTALL),
    "/*": re.compile(r".*?\*/", re.DOTALL),
}
# A quote behind a backslash begins no string: it would be read once for each in a string that does not end.
_TOKEN = re.compile(r'(?<!\\)"(?:[^"\\\n]|\\.)*"|(?<!\\)\'(?:[^\'\\\n]|\\.)*\'|\w+|[^\w\s]')


@dataclass(frozen=True, slots=True)
class CachedDuplicates:
    """The duplicates of a file at one revision of the index: for the text of each chunk its duplicate, or None."""

    revision: int = -1
    others: Mapping[str, Chunk | None] = field(default_factory=dict)


def near_duplicates(
    snapshot: Snapshot,
    path: str,
    vectors_of: VectorsOf,
    check: Callable[[], None],
    known_duplicates: Mapping[str, Chunk | None],
) -> tuple[tuple[Duplicate, ...], dict[str, Chunk | None]]:
    """The chunks of a file that nearly duplicate another chunk, each with the most similar one; and the cache for the next call.

    For chunks in `known_duplicates` it only checks that the duplicate still exists: a search for each costs milliseconds in
    a large workspace, and an edit changes few. So a new copy in an open buffer is reported there at once, and at the
    original after the next change of the index. `vectors_of` gives the vectors of chunks that have one;
    nothing is embedded. Raises what `check` raises, which is called between chunks.
    """
    if snapshot.encoder is None or snapshot.index is None:
        return (), {}
    rows = [(row, chunk) for row, chunk in snapshot.rows.file_chunks(path) if _is_comparable(chunk)][:MAX_CHUNKS]
    others = {
        row: _locate(snapshot, chunk, known_duplicates[chunk.text])
        for row, chunk in rows
        if chunk.text in known_duplicates
    }
    new = [
        (row, chunk)
        for row, chunk in rows
        if chunk.text not in known_duplicates or (known_duplicates[chunk.text] and not others[row])
    ]
    vectors = vectors_of(snapshot.encoder, [chunk for _, chunk in new])
    for (row, chunk), vector in zip(new, vectors, strict=True):
        check()
        if vector is not None:
            near, cosines = snapshot.index.search(vector, NEIGHBORS + 1)
            candidates = near[(near != row) & (cosines >= MIN_COSINE)].tolist()
            others[row] = _best_match(chunk, snapshot.rows.chunks(candidates).values())
    pairs = [(chunk, others[row]) for row, chunk in rows if row in others]
    duplicates = (Duplicate(chunk, other, similarity(chunk.text, other.text)) for chunk, other in pairs if other)
    return tuple(duplicates), {chunk.text: other for chunk, other in pairs}


def similarity(one: str, other: str) -> float:
    """How similar two texts are, 0 to 1: the Dice coefficient of their token shingles."""
    first, second = _shingles(one), _shingles(other)
    total = first.total() + second.total()
    return 2 * (first & second).total() / total if total else 0.0


def _is_comparable(chunk: Chunk) -> bool:
    lines = sum(bool(line.strip()) for line in _without_comments(chunk.text).splitlines())
    return chunk.kind in KINDS and lines >= MIN_LINES and len(_tokens(chunk.text)) >= MIN_TOKENS


def _locate(snapshot: Snapshot, chunk: Chunk, other: Chunk | None) -> Chunk | None:
    """A known duplicate where it is now, if it still exists."""
    rows = snapshot.rows.file_chunks(other.path) if other else ()
    return next((now for _, now in rows if other and now.text == other.text and _disjoint(chunk, now)), None)


def _best_match(chunk: Chunk, others: Iterable[Chunk]) -> Chunk | None:
    """The most similar of the others, if it is similar enough."""
    comparable = (o for o in others if _disjoint(chunk, o) and o.language == chunk.language and _similar_size(chunk, o))
    highest, best = max(
        ((similarity(chunk.text, o.text), o) for o in comparable), key=lambda pair: pair[0], default=(0.0, None)
    )
    return best if highest >= MIN_SIMILARITY else None


def _disjoint(one: Chunk, other: Chunk) -> bool:
    return one.path != other.path or one.start_line > other.end_line or one.end_line < other.start_line


def _similar_size(one: Chunk, other: Chunk) -> bool:
    """Whether their lengths allow the minimum similarity at all."""
    short, long = sorted((len(_tokens(one.text)), len(_tokens(other.text))))
    return 2 * short >= MIN_SIMILARITY * (short + long)


def _without_comments(text: str, gap: str = "") -> str:
    """A text without comments and docstrings. Where one is not closed, no later one of that kind can be either."""
    kept: list[str] = []
    at = end = 0
    unclosed: set[str] = set()
    while (match := _COMMENT.search(text, at)) is not None:
        mark = match[0]
        closed = None if mark in unclosed else match
        if mark in _ENDS and closed is not None:
            closed = _ENDS[mark].match(text, match.end())
        if closed is None:
            unclosed.add(mark)
            at = match.start() + 1
        else:
            kept += (text[end : match.start()], gap)
            at = end = closed.end()
    return "".join((*kept, text[end:]))


@lru_cache(maxsize=512)
def _tokens(text: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(_without_comments(text, " ")))


def _shingles(text: str) -> Counter[tuple[str, ...]]:
    tokens = _tokens(text)
    return Counter(tokens[n : n + SHINGLE_TOKENS] for n in range(max(1, len(tokens) - SHINGLE_TOKENS + 1)))
