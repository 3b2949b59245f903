"""Which lines of a hit to show first.

Every answer selects lines by the query's terms: it costs next to nothing. Where a person or an assistant will read them,
`highlight_by_meaning` adds the cosine of each single line to the query.

Measured on 639 hits of 140 questions about 10 projects (`python -m retrieval.evaluation.highlighting`), as the part of what the
similarity loses without the three best lines that it loses without the three chosen ones: words alone 0.50, words and meaning
0.72, meaning alone 0.76. The model's pooling attention makes it worse (words and attention 0.35, attention alone 0.02): it is
the same for every question, and goes to long lines about something else. Meaning alone was not taken because it likes short
lines that say little (`package middleware`).
"""

from __future__ import annotations

import re
import threading
from bisect import insort
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from retrieval.chunking import lines_of
from retrieval.encoders.protocol import Encoder, Vectors
from retrieval.search.definitions import queried_definition_line
from retrieval.store import composed, split_identifiers, unaccented
from retrieval.types import Hit

# A line with all of the query's words counts as much as one that means the same (cosine 1; seen are 0 to 0.7).
LEXICAL_WEIGHT, DENSE_WEIGHT = 1.0, 1.0
SALIENT = 3  # lines of a hit that are worth showing first
# Lines of a hit whose vectors are compared, those with the most terms first. All lines gain 0.01 and take twice as long.
COMPARED_LINES = 12
CACHED_LINES = 5_000  # lines: 5 MB at 256 dimensions; while somebody types, most hits come again
_CONTENT = re.compile(r"\w\W*\w\W*\w")  # lines of fewer letters and digits (a brace, "=>") are never shown


def salient_lines(
    text: str, first_line: int, idf: dict[str, float], count: int, start: int | None = None
) -> tuple[int, ...]:
    """The `count` best line numbers of a hit, ascending. `idf` holds the stems of the query. A line to
    start with is the first of them, and the others come after it.
    """
    shares = _lines_with_most_terms(text, idf, count, _skipped(first_line, start))
    return _with_start(start, [first_line + n for n in shares], count)


def highlight_by_meaning(
    hits: Sequence[Hit], query: Vectors, encoder: Encoder, line_vectors: LineVectors, idf: dict[str, float], count: int
) -> tuple[Hit, ...]:
    """The hits with the lines chosen that say most of what the query says and means; `query` (d,) is its embedding.

    Raises EncoderError.
    """
    starts = [queried_definition_line(hit) for hit in hits]
    skipped = [_skipped(hit.start_line, start) for hit, start in zip(hits, starts, strict=True)]
    words = [
        _lines_with_most_terms(hit.text, idf, COMPARED_LINES, skip) for hit, skip in zip(hits, skipped, strict=True)
    ]
    texts = [line for hit, shares in zip(hits, words, strict=True) for line in _stripped_lines(hit.text, shares)]
    if not texts:
        return tuple(hits)
    cosines = iter((line_vectors.of(texts, encoder) @ query).tolist())
    out = []
    for hit, shares, start in zip(hits, words, starts, strict=True):
        total = {n: LEXICAL_WEIGHT * share + DENSE_WEIGHT * next(cosines) for n, share in shares.items()}
        best = sorted(total, key=lambda n: (-total[n], n))
        out.append(replace(hit, salient_lines=_with_start(start, [hit.start_line + n for n in best], count)))
    return tuple(out)


class LineVectors:
    """An LRU cache of the vectors of single lines, for one encoder at a time. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fingerprint = ""  # of the encoder
        self._vectors: OrderedDict[str, NDArray[np.float32]] = OrderedDict()

    def of(self, lines: Sequence[str], encoder: Encoder) -> Vectors:
        with self._lock:
            if self._fingerprint != encoder.fingerprint:
                self._vectors.clear()
                self._fingerprint = encoder.fingerprint
            vectors = {line: self._vectors[line] for line in lines if line in self._vectors}
        if missing := [line for line in dict.fromkeys(lines) if line not in vectors]:
            vectors |= zip(missing, encoder.encode_passages(missing), strict=True)
        with self._lock:
            if self._fingerprint == encoder.fingerprint:  # another thread may use another encoder
                self._keep(lines, vectors)
        return np.stack([vectors[line] for line in lines])

    def _keep(self, lines: Sequence[str], vectors: dict[str, NDArray[np.float32]]) -> None:
        for line in lines:
            self._vectors[line] = vectors[line]
            self._vectors.move_to_end(line)
        while len(self._vectors) > CACHED_LINES:
            self._vectors.popitem(last=False)


def _stripped_lines(text: str, indices: Iterable[int]) -> list[str]:
    lines = lines_of(text)
    return [lines[n].strip() for n in indices]


def _skipped(first_line: int, start: int | None) -> int:
    """The lines of a hit up to the one to start with."""
    return 0 if start is None else start - first_line + 1


def _with_start(start: int | None, best: Sequence[int], count: int) -> tuple[int, ...]:
    """The first of the best lines, ascending, after the one to start with."""
    return tuple(sorted(best[:count] if start is None else [start, *best[: count - 1]]))


def _lines_with_most_terms(text: str, idf: dict[str, float], count: int, skip: int = 0) -> dict[int, float]:
    """The share of the query that the `count` lines with most of it hold, by index, best first; where too few hold
    any, the first lines with content make up for them. Lines to skip are never chosen."""
    lines = lines_of(text)
    lines[:skip] = [""] * skip
    ranked = _lines_with_terms(lines, idf, count)
    shares = {n: -minus for minus, n in ranked}
    others = (n for n, line in enumerate(lines) if n not in shares and _CONTENT.search(line))
    best = [n for _, n in ranked[:count]]
    return {n: shares.get(n, 0.0) for n in (*best, *islice(others, count - len(best)))}


def _lines_with_terms(lines: Sequence[str], idf: dict[str, float], count: int) -> list[tuple[float, int]]:
    """(minus share, index) of lines with words of the query, best first: the `count` best at least, all where they are fewer.

    Splitting a line takes most of the time, and a line says no more than the stems that it has somewhere: lines with most of
    those come first, until the others cannot be among the best.
    """
    low = [line.lower() for line in lines] if "".join(lines).isascii() else [_searchable(line) for line in lines]
    whole = "\n".join(low)
    present = [stem for stem in idf if stem in whole]
    near = [(n, stems) for n, line in enumerate(low) if (stems := [stem for stem in present if stem in line])]
    total = sum(idf.values())
    bounds = sorted((-sum(idf[stem] for stem in stems) / total, n) for n, stems in near)
    best: list[tuple[float, int]] = []
    for bound, n in bounds:
        if len(best) >= count and best[count - 1] < (bound, n):
            break
        if share := term_share(lines[n], idf):
            insort(best, (-share, n))
    return best


def _searchable(line: str) -> str:
    """A line in lower case, beyond ASCII with and without its accents: sub-words have none."""
    low = line.lower()
    return low if low.isascii() else f"{low} {unaccented(composed(low))}"


def term_share(line: str, idf: dict[str, float]) -> float:
    """The share of the query's terms in a line, 0..1, weighted by idf; 0 for a line without content."""
    if not _CONTENT.search(line):
        return 0.0
    stems = frozenset(split_identifiers(line).split())
    return sum(idf[stem] for stem in idf if stem in stems) / sum(idf.values())
