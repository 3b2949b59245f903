"""`c2llm/explain`.

The engine's columns are code points of a line of the chunk; they are counted here in the client's units, on the text that
was explained, which an edit may have changed since.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from c2llm_lsp.server import protocol_types
from c2llm_lsp.server.handlers.common import NOT_OPEN, freshness, own_request
from c2llm_lsp.server.handlers.documents_at import home
from c2llm_lsp.server.positions import Encoding, last_line, split_lines, whole_lines
from retrieval.errors import QueryError
from retrieval.types import Chunk, Explanation, LineLook, Look, WordMatch

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server
    from c2llm_lsp.server.folder import Folder
    from retrieval.engine import Workspace


def register(server: Server) -> None:
    own_request(server, protocol_types.EXPLAIN, protocol_types.ExplainParams, explain)


async def explain(server: Server, asked: protocol_types.ExplainParams) -> protocol_types.ExplainAnswer:
    if asked.wait_for_edits:
        await server.edits.settled()
    folder, path = home(server, asked.text_document.uri)
    line, query = asked.position.line + 1, asked.query or ""

    def ask(_folder: Folder, workspace: Workspace, _cancel: object) -> tuple[Explanation, list[protocol_types.Look]]:
        found = workspace.explain(path, line, query)
        return found, _looks(found, server.encoding)  # one for each token: not for the loop, which reads input

    answers = await server.ask([folder], ask)
    if not answers:
        raise QueryError(NOT_OPEN.format(folder.name, folder.standing.message or folder.standing.state))
    return _answer(server, folder, *answers[0])


def _looks(found: Explanation, encoding: Encoding) -> list[protocol_types.Look]:
    columns = Columns(found.chunk, encoding)
    return [protocol_types.Look(range=columns.range(look), weight=_rounded(look.weight)) for look in found.looks]


def _answer(
    server: Server, folder: Folder, found: Explanation, looks: list[protocol_types.Look]
) -> protocol_types.ExplainAnswer:
    chunk = found.chunk
    span = whole_lines(chunk.start_line, chunk.end_line, last_line(chunk.text), server.encoding)
    return protocol_types.ExplainAnswer(
        uri=folder.uri_of(chunk.path),
        folder=folder.uri,
        path=chunk.path,
        range=protocol_types.wire_range(span),
        language=chunk.language,
        kind=chunk.kind,
        symbol=chunk.symbol,
        scope=chunk.scope,
        text=chunk.text,
        encoder=found.encoder,
        looks=looks,
        header=[protocol_types.HeaderLook(text=look.text, weight=_rounded(look.weight)) for look in found.header],
        lines=[_line(line) for line in found.lines],
        entropy=_rounded(found.entropy),
        uniform=_rounded(found.uniform),
        unread_from=found.unread_from - 1 if found.unread_from else None,
        query=found.query,
        similarity=_maybe(found.similarity),
        header_effect=_maybe(found.header_effect),
        words=[_word(match) for match in found.words],
        freshness=freshness(server, [(folder, found.freshness)]),
        notes=list(found.notes),
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

    def range(self, look: Look) -> protocol_types.Range:
        return protocol_types.Range(
            start=self._position(look.start, look.line, look.character),
            end=self._position(look.end, look.end_line, look.end_character),
        )

    def _position(self, offset: int, line: int, character: int) -> protocol_types.Position:
        n = bisect_right(self._starts, offset) - 1
        inside = self._rows[n][: offset - self._starts[n]]
        return protocol_types.Position(line=line - 1, character=character - len(inside) + self._encoding.units(inside))


def _line(look: LineLook) -> protocol_types.LineLook:
    return protocol_types.LineLook(line=look.line - 1, attention=_rounded(look.attention), effect=_maybe(look.effect))


def _word(match: WordMatch) -> protocol_types.WordMatch:
    return protocol_types.WordMatch(
        word=match.word,
        rarity=_rounded(match.rarity),
        in_name=match.in_name,
        in_path=match.in_path,
        lines=[line - 1 for line in match.lines],
    )


def _rounded(value: float) -> float:
    return round(float(value), 6)


def _maybe(value: float | None) -> float | None:
    return None if value is None else _rounded(value)
