"""`c2llm/similar`."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from c2llm_lsp.server import protocol_types
from c2llm_lsp.server.handlers.common import Part, filters, limit, own_request, part, ready, together
from c2llm_lsp.server.handlers.documents_at import home, lines, selected
from retrieval.errors import QueryError
from retrieval.types import Filters, SimilarRequest

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server
    from c2llm_lsp.server.folder import Folder
    from retrieval.engine import Workspace

UNCLEAR = "c2llm/similar needs `text`, or a `textDocument` with a `position` or a `range`."


def register(server: Server) -> None:
    own_request(server, protocol_types.SIMILAR, protocol_types.SimilarParams, similar)


async def similar(server: Server, asked: protocol_types.SimilarParams) -> protocol_types.Answer:
    folders = await ready(server, asked)
    count, wanted = limit(server, asked), filters(asked)
    text = asked.text or await selected(server, asked)
    if text:

        def like(folder: Folder, workspace: Workspace, _: object) -> Part:
            path, first, last = _itself(folder, asked)
            found = workspace.similar(SimilarRequest(path, first, last, text, wanted, count))
            return part(server, folder, found)

        return together(server, await server.ask(folders, like), count, folders)
    at, path, line = place(server, asked)
    answers = await server.ask(
        [at],
        lambda f, workspace, _: part(
            server, f, workspace.similar(SimilarRequest(path, line, filters=wanted, limit=count))
        ),
    )
    others = [folder for folder in folders if folder is not at]
    if others:
        uri = asked.text_document.uri if asked.text_document else ""
        answers += await _elsewhere(server, (at, path, line), uri, others, count, wanted)
    return together(server, answers, count, folders)


def _itself(folder: Folder, asked: protocol_types.SimilarParams) -> tuple[str, int, int]:
    """Path and lines in a folder of the code that is asked about, which is not like itself; no path where it is elsewhere."""
    if asked.text_document is None or asked.range is None:
        return "", 0, 0
    return folder.relative(asked.text_document.uri) or "", *lines(asked.range)


async def _elsewhere(
    server: Server, place: tuple[Folder, str, int], uri: str, others: list[Folder], count: int, wanted: Filters
) -> list[Part]:
    """What other folders have that is like the code at a line of this one. One around or inside it has the line too, if
    it has the file in its index, which it may leave out.
    """
    at, path, line = place
    found = await server.ask([at], lambda _f, workspace, _c: workspace.code_at(path, line))
    if not found:  # its index is not open
        return []
    code = found[0]

    def ask(folder: Folder, workspace: Workspace, _: object) -> Part:
        same = folder.relative(uri)
        if same is not None:
            with suppress(QueryError):
                return part(server, folder, workspace.similar(SimilarRequest(same, line, filters=wanted, limit=count)))
        return part(server, folder, workspace.similar(SimilarRequest(text=code, filters=wanted, limit=count)))

    return await server.ask(others, ask)


def place(server: Server, asked: protocol_types.SimilarParams) -> tuple[Folder, str, int]:
    """Folder, path and the engine's line of the position that is asked about."""
    at = asked.position or (asked.range.start if asked.range else None)
    if asked.text_document is None or at is None:
        raise QueryError(UNCLEAR)
    return *home(server, asked.text_document.uri), at.line + 1
