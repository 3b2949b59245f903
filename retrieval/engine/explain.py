"""Why a chunk is a hit: where the model attends to, and which lines match a query.

Attention shows what shaped the chunk's vector, whatever the query: the weight that pooling gives to each token, exactly as
the model computes it. The effect of a line on one query is measured by ablation, not read off the attention: the similarity
is computed again without that line, for all lines in one batch. That is exact, with every encoder. Effects do not add up to
the similarity: of two lines that say the same, each can be left out at no loss.

An encoder truncates its input, and would read further where a line is left out; so only the part it reads is analyzed.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from retrieval.chunking import passage
from retrieval.encoders import AttendingEncoder, Encoder
from retrieval.errors import QueryError
from retrieval.search import Query, Snapshot, inverse_frequencies, parse
from retrieval.store import PART, split_identifiers, stem
from retrieval.types import Chunk, Explanation, HeaderAttention, LineAttention, TokenAttention, WordMatch

Weighted = tuple[int, int, float]  # characters start to end of a text, and their weight

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_WORD = re.compile(r"[^\W_]")
_BREAK = re.compile(r"[\r\n]")


def explain(snapshot: Snapshot, encoder: Encoder, path: str, line: int, query: str = "") -> Explanation:
    """Explain the chunk at a line, or the first one after it. Raises QueryError, EncoderError."""
    chunks = [chunk for _, chunk in snapshot.rows.file_chunks(path)]
    chunk = chunk_at(path, line, chunks)
    text = _Text(chunk, first_column(chunk, chunks))
    header = passage(chunk).removesuffix(chunk.text)
    weights, notes = _attention(encoder, header + chunk.text)
    own = [(max(0, a - len(header)), b - len(header), weight) for a, b, weight in weights if b > len(header)]
    last = text.row(own[-1][1] - 1) if own else len(text.rows) - 1
    unread = next((n for n in text.nonblank if n > last and _WORD.search(text.rows[n])), None)
    if unread is None:
        last = len(text.rows) - 1
    attention = _by_row(text, own)
    query_effects = _QueryEffects(snapshot, encoder, parse(query), header, text, last) if query.strip() else None
    effects = query_effects.effects() if query_effects else {}
    return Explanation(
        chunk=chunk,
        encoder=encoder.name,
        tokens=tuple(TokenAttention(a, b, *text.position(a), *text.position(b), weight) for a, b, weight in own),
        header=tuple(HeaderAttention(header[a:b], weight) for a, b, weight in weights if b <= len(header)),
        lines=tuple(LineAttention(text.line(n), attention[n], effects.get(n)) for n in text.nonblank),
        entropy=-sum(weight * math.log2(weight) for *_, weight in weights if weight > 0),
        uniform=math.log2(len(weights)) if weights else 0.0,
        unread_from=text.line(unread) if unread is not None else 0,
        query=query_effects.query.text if query_effects else "",
        similarity=query_effects.similarity if query_effects else None,
        header_effect=query_effects.header_effect() if query_effects else None,
        words=query_effects.words() if query_effects else (),
        notes=notes,
    )


def chunk_at(path: str, line: int, chunks: Sequence[Chunk]) -> Chunk:
    """The chunk of a file at a line, else the first one after it, else the last. Raises QueryError without chunks."""
    if not chunks:
        raise QueryError(f"{path} is not indexed: it may be ignored, empty or not there.")
    inside = (chunk for chunk in chunks if chunk.start_line <= line <= chunk.end_line)
    behind = (chunk for chunk in chunks if chunk.start_line > line)
    return next(inside, None) or next(behind, chunks[-1])


class _Text:
    """A chunk's text by rows, and their lines and columns in the file."""

    def __init__(self, chunk: Chunk, first_column: int) -> None:
        self.chunk = chunk
        self.rows = [row for row in _LINE.findall(chunk.text) if row] or [""]
        self.nonblank = [n for n, row in enumerate(self.rows) if row.strip()]
        self._starts = [0, *accumulate(map(len, self.rows))][: len(self.rows)]
        self.first_column = first_column

    def line(self, row: int) -> int:
        """A notebook's cell can have more rows than the file has lines for it."""
        return min(self.chunk.start_line + row, self.chunk.end_line)

    def row(self, offset: int) -> int:
        return max(0, bisect_right(self._starts, offset) - 1)

    def position(self, offset: int) -> tuple[int, int]:
        """(line, character) in the file for a character of the text."""
        row = self.row(offset)
        return self.line(row), offset - self._starts[row] + (self.first_column if row == 0 else 0)

    def up_to(self, last: int, *, without: int = -1) -> str:
        """The rows up to `last`, without one of them."""
        return "".join(row for n, row in enumerate(self.rows[: last + 1]) if n != without)


class _QueryEffects:
    """The effect on a query of each row that the encoder reads, from one batch."""

    def __init__(self, snapshot: Snapshot, encoder: Encoder, query: Query, header: str, text: _Text, last: int) -> None:
        self.query = query
        self._snapshot, self._header, self._text = snapshot, header, text
        self._rows = [n for n in text.nonblank if n <= last]
        passages = [header + text.up_to(last), text.up_to(last)]
        passages += [header + text.up_to(last, without=n) for n in self._rows]
        vector = encoder.encode_queries([query.text])[0]
        self._cosines: list[float] = (encoder.encode_passages(passages) @ vector).tolist()

    @property
    def similarity(self) -> float:
        return self._cosines[0]

    def header_effect(self) -> float:
        return self.similarity - self._cosines[1]

    def effects(self) -> dict[int, float]:
        """How much each row contributes to the similarity."""
        return {n: self.similarity - cosine for n, cosine in zip(self._rows, self._cosines[2:], strict=True)}

    def words(self) -> tuple[WordMatch, ...]:
        """The rarest first: they decide."""
        chunk, text = self._text.chunk, self._text
        name, path = _stems(chunk.qualified), _stems(chunk.path)
        lines = {n: _stems(text.rows[n]) for n in text.nonblank}
        spelling = {stem(part.lower()): part.lower() for part in PART.findall(self.query.text)}
        matches = []
        for word, rarity in inverse_frequencies(self._snapshot, self.query.parts).items():
            where = tuple(text.line(n) for n in lines if word in lines[n])
            matches.append(WordMatch(spelling.get(word, word), rarity, word in name, word in path, where))
        return tuple(sorted(matches, key=lambda match: (-match.rarity, match.word)))


def _attention(encoder: Encoder, text: str) -> tuple[list[Weighted], tuple[str, ...]]:
    if not isinstance(encoder, AttendingEncoder):
        note = f"The encoder '{encoder.name}' does not expose attention; only the effect of each line on a query can be measured."
        return [], (note,)
    return encoder.attention([text])[0], ()


def _by_row(text: _Text, weights: Sequence[Weighted]) -> list[float]:
    """Attention summed over each row; a token that begins with a line break belongs to the row behind it."""
    out = [0.0] * len(text.rows)
    for start, end, weight in weights:
        token = text.chunk.text[start:end]
        out[text.row(start + len(token) - len(token.lstrip()) if token.strip() else start)] += weight
    return out


def first_column(chunk: Chunk, chunks: Sequence[Chunk]) -> int:
    """Where a chunk begins on its first line: not at 0 for the parts of an endless line."""
    column, start = 0, chunk.start_byte
    for before in sorted(chunks, key=lambda other: -other.start_byte):
        if before.end_byte == start and before.start_byte < start:
            tail = _BREAK.split(before.text)[-1]
            column += len(tail)
            start = before.start_byte
            if len(tail) < len(before.text):
                break
    return column


def _stems(text: str) -> frozenset[str]:
    return frozenset(split_identifiers(text).split())
