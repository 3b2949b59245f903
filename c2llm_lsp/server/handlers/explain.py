"""`c2llm/explain`.

The engine's columns are code points of a line of the chunk; they are counted here in the client's units, on the text that
was explained, which an edit may have changed since.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from c2llm_lsp.server import protocol
from c2llm_lsp.server.folders import Folder
from c2llm_lsp.server.handlers.locations import location_of
from c2llm_lsp.server.handlers.results import NOT_OPEN, merged_freshness
from c2llm_lsp.server.services import Services
from c2llm_lsp.server.text.positions import Encoding, last_line, split_lines, whole_lines
from retrieval.errors import QueryError
from retrieval.types import Chunk, Explanation, LineAttention, TokenAttention, WordMatch

if TYPE_CHECKING:
    from retrieval.engine import Workspace


async def explain(server: Services, params: protocol.ExplainParams) -> protocol.ExplainAnswer:
    """The model's attention over the chunk at a position and, with a query, what of the chunk matches it."""
    if params.wait_for_edits:
        await server.sync.settled()
    folder, path = location_of(server, params.text_document.uri)
    line, query_text = params.position.line + 1, params.query or ""

    def query(
        _folder: Folder, workspace: Workspace, _cancel: object
    ) -> tuple[Explanation, list[protocol.TokenAttention]]:
        explanation = workspace.explain(path, line, query_text)
        return explanation, _token_attention(explanation, server.state.encoding)  # many: not on the loop's thread

    answers = await server.queries.query([folder], query)
    if not answers:
        raise QueryError(NOT_OPEN.format(folder.name, folder.state.reason))
    return _answer(server, folder, *answers[0])


def _token_attention(explanation: Explanation, encoding: Encoding) -> list[protocol.TokenAttention]:
    columns = Columns(explanation.chunk, encoding)
    return [
        protocol.TokenAttention(range=columns.range(look), weight=_rounded(look.weight)) for look in explanation.tokens
    ]


def _answer(
    server: Services, folder: Folder, explanation: Explanation, tokens: list[protocol.TokenAttention]
) -> protocol.ExplainAnswer:
    chunk = explanation.chunk
    span = whole_lines(chunk.start_line, chunk.end_line, last_line(chunk.text), server.state.encoding)
    return protocol.ExplainAnswer(
        uri=folder.files.uri_of(chunk.path),
        folder=folder.uri,
        path=chunk.path,
        range=protocol.to_protocol_range(span),
        language=chunk.language,
        kind=chunk.kind,
        symbol=chunk.symbol,
        scope=chunk.scope,
        text=chunk.text,
        encoder=explanation.encoder,
        looks=tokens,
        header=[protocol.HeaderAttention(text=look.text, weight=_rounded(look.weight)) for look in explanation.header],
        lines=[_line(line) for line in explanation.lines],
        entropy=_rounded(explanation.entropy),
        uniform=_rounded(explanation.uniform),
        unread_from=explanation.unread_from - 1 if explanation.unread_from else None,
        query=explanation.query,
        similarity=_optional(explanation.similarity),
        header_effect=_optional(explanation.header_effect),
        words=[_word(match) for match in explanation.words],
        freshness=merged_freshness(server, [(folder, explanation.freshness)]),
        notes=list(explanation.notes),
    )


class Columns:
    """The columns of a chunk's characters in the client's units.

    A chunk that begins within an endless line has characters before it that are not at hand; they count one unit each.
    """

    def __init__(self, chunk: Chunk, encoding: Encoding) -> None:
        self._encoding = encoding
        self._rows = split_lines(chunk.text)
        self._starts = [0]
        for row in self._rows[:-1]:
            self._starts.append(self._starts[-1] + len(row))

    def range(self, look: TokenAttention) -> protocol.Range:
        return protocol.Range(
            start=self._position(look.start, look.line, look.character),
            end=self._position(look.end, look.end_line, look.end_character),
        )

    def _position(self, offset: int, line: int, character: int) -> protocol.Position:
        n = bisect_right(self._starts, offset) - 1
        inside = self._rows[n][: offset - self._starts[n]]
        return protocol.Position(line=line - 1, character=character - len(inside) + self._encoding.units(inside))


def _line(look: LineAttention) -> protocol.LineAttention:
    return protocol.LineAttention(line=look.line - 1, attention=_rounded(look.attention), effect=_optional(look.effect))


def _word(match: WordMatch) -> protocol.WordMatch:
    return protocol.WordMatch(
        word=match.word,
        rarity=_rounded(match.rarity),
        in_name=match.in_name,
        in_path=match.in_path,
        lines=[line - 1 for line in match.lines],
    )


def _rounded(value: float) -> float:
    return round(float(value), 6)


def _optional(value: float | None) -> float | None:
    return None if value is None else _rounded(value)
