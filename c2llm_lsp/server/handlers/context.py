"""`c2llm/context`: places for a question or like a selection, from all folders, packed as one Markdown text.

With several folders each path is cited behind its folder's name. A selection in a file that is not indexed (it may be
ignored, or lie elsewhere) is shown as it is in the editor.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from c2llm_lsp.server import protocol_types
from c2llm_lsp.server.handlers.common import filters, freshness, notes, own_request, ready
from c2llm_lsp.server.handlers.documents_at import document, lines
from c2llm_lsp.server.positions import split_lines, whole_lines
from retrieval.errors import QueryError
from retrieval.rag import (
    DEFAULT_LIMIT,
    Context,
    ContextSpan,
    Retrieved,
    pack_retrieved,
    retrieve,
    retrieve_similar,
    selection,
    with_path_prefix,
)
from retrieval.types import Chunk, Hit

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server
    from c2llm_lsp.server.folder import Folder
    from retrieval.engine import Workspace

UNCLEAR = "c2llm/context needs a `query`, or a `textDocument` with a `position` or a `range`, or both."
AROUND = 10  # lines before and after a cursor in a file that is not cut into chunks


def register(server: Server) -> None:
    own_request(server, protocol_types.CONTEXT, protocol_types.ContextParams, context)


async def context(server: Server, asked: protocol_types.ContextParams) -> protocol_types.ContextAnswer:
    folders = await ready(server, asked)
    query, count, wanted = (asked.query or "").strip(), asked.limit or DEFAULT_LIMIT, filters(asked)
    prefixes = _prefixes(server.folders)
    chosen = await _chosen(server, asked, prefixes)
    if not query and chosen is None:
        raise QueryError(UNCLEAR)

    def ask(folder: Folder, workspace: Workspace, _: object) -> tuple[Folder, Retrieved]:
        if chosen is None or query:
            return folder, retrieve(workspace, query, limit=count, filters=wanted, prefix=prefixes[folder])
        return folder, retrieve_similar(workspace, chosen.hit, limit=count, filters=wanted, prefix=prefixes[folder])

    found = _without_repetition(await server.ask(folders, ask))
    selected = [] if chosen is None else [with_path_prefix(chosen.hit, chosen.origin.prefix)]
    packed = await server.loop.run_in_executor(
        server.asking, lambda: pack_retrieved([one for _, one in found], selected, asked.budget, limit=count)
    )
    return _answer(server, folders, found, chosen, packed)


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a cited file is."""

    uri: str
    folder: str
    path: str
    prefix: str


@dataclass(frozen=True, slots=True)
class _Chosen:
    hit: Hit
    origin: _Origin


async def _chosen(server: Server, asked: protocol_types.ContextParams, prefixes: dict[Folder, str]) -> _Chosen | None:
    """What is selected, if anything is. Raises QueryError where it can be had neither from the index nor as text."""
    span = asked.range
    if span is None and asked.position is not None:
        span = protocol_types.Range(start=asked.position, end=asked.position)
    if asked.text_document is None or span is None:
        return None
    uri, (start, end) = asked.text_document.uri, lines(span)
    if (place := server.place_of(uri)) is not None:
        folder, path = place
        origin = _Origin(folder.uri_of(path), folder.uri, path, prefixes[folder])

        def ask(_folder: Folder, workspace: Workspace, _cancel: object) -> Hit | None:
            try:
                return selection(workspace, path, start, end)
            except QueryError:
                return None

        for hit in await server.ask([folder], ask):
            if hit is not None:
                return _Chosen(hit, origin)
    else:
        path = PurePosixPath(unquote(urlsplit(uri).path)).name or "selection"
        origin = _Origin(uri, "", path, "")
    text = (await document(server, uri)).text
    if span.start == span.end:
        start, end = start - AROUND, end + AROUND
    return _Chosen(_as_shown(path, text, start, end), origin)


def _as_shown(path: str, text: str, start: int, end: int) -> Hit:
    """Lines of a text as a hit."""
    rows = split_lines(text)
    start, end = max(1, min(start, len(rows))), max(1, min(end, len(rows)))
    shown = "".join(rows[start - 1 : end]).rstrip("\r\n")
    return Hit(Chunk(path, "text", "window", "", "", start, end, 0, 0, shown), start, end, shown, 1.0)


def _prefixes(folders: list[Folder]) -> dict[Folder, str]:
    """What goes before the paths of each folder: nothing where there is one, else its name, made unlike the others'."""
    if len(folders) == 1:
        return {folders[0]: ""}
    names: dict[str, Folder] = {}
    for folder in folders:
        name, n = folder.name, 2
        while name in names:
            name, n = f"{folder.name}-{n}", n + 1
        names[name] = folder
    return {folder: f"{name}/" for name, folder in names.items()}


def _without_repetition(found: list[tuple[Folder, Retrieved]]) -> list[tuple[Folder, Retrieved]]:
    """Without the files that a folder around or inside another one has as well."""
    owner: dict[str, Folder] = {}
    out = []
    for folder, one in found:
        hits = tuple(
            hit for hit in one.answer.hits if owner.setdefault(folder.uri_of(hit.chunk.path), folder) is folder
        )
        out.append((folder, replace(one, answer=replace(one.answer, hits=hits))))
    return out


def _answer(
    server: Server, asked: list[Folder], found: list[tuple[Folder, Retrieved]], chosen: _Chosen | None, packed: Context
) -> protocol_types.ContextAnswer:
    answers = [(folder, one.answer) for folder, one in found]
    origins = {} if chosen is None else {chosen.origin.prefix + chosen.hit.chunk.path: chosen.origin}
    shown: dict[str, list[Hit]] = {}
    for folder, one in found:
        for hit in one.answer.hits:
            path = hit.chunk.path
            origins.setdefault(one.prefix + path, _Origin(folder.uri_of(path), folder.uri, path, one.prefix))
            shown.setdefault(one.prefix + path, []).append(hit)
    if chosen is not None:
        shown.setdefault(chosen.origin.prefix + chosen.hit.chunk.path, []).append(chosen.hit)
    return protocol_types.ContextAnswer(
        text=packed.text,
        pieces=[_piece(server, origins[piece.path], piece, shown[piece.path]) for piece in packed.spans],
        tokens=packed.tokens,
        budget=packed.budget,
        left_out=packed.left_out,
        encoder=next((answer.encoder for _, answer in answers if answer.encoder), ""),
        freshness=freshness(server, [(folder, answer.freshness) for folder, answer in answers]),
        notes=notes(answers, asked),
    )


def _piece(server: Server, origin: _Origin, piece: ContextSpan, hits: list[Hit]) -> protocol_types.Piece:
    """The text of a piece that was shortened does not have its last line; the hit that it is of does."""
    hit = next(hit for hit in hits if hit.start_line <= piece.end_line <= hit.end_line)
    rows = split_lines(hit.text)
    last = rows[min(piece.end_line - hit.start_line, len(rows) - 1)]
    return protocol_types.Piece(
        uri=origin.uri,
        folder=origin.folder,
        path=origin.path,
        range=protocol_types.wire_range(whole_lines(piece.start_line, piece.end_line, last, server.encoding)),
        kind=piece.kind,
    )
