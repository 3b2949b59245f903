"""`c2llm/similar`."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from c2llm_lsp.server import protocol
from c2llm_lsp.server.folders import Folder
from c2llm_lsp.server.handlers.locations import engine_lines, location_of, selected_text
from c2llm_lsp.server.handlers.query_params import filters_of, limit_of, queried_folders, scopes_of
from c2llm_lsp.server.handlers.results import FolderAnswer, folder_answer, merged_answer
from c2llm_lsp.server.services import Services
from retrieval.errors import QueryError
from retrieval.types import Answer, SimilarRequest

if TYPE_CHECKING:
    from retrieval.engine import Workspace

UNCLEAR = "c2llm/similar needs `text`, or a `textDocument` with a `position` or a `range`."


async def similar(server: Services, params: protocol.SimilarParams) -> protocol.Answer:
    """The code most similar to a text, a range, or the chunk at a position; the range and that chunk are excluded."""
    folders = await queried_folders(server, params)
    text = params.text or await selected_text(server, params)
    if text:
        answers = await _similar_to_text(server, params, text, folders)
    else:
        answers = await _similar_to_chunk(server, params, folders)
    return merged_answer(server, answers, limit_of(server, params), folders)


async def _similar_to_text(
    server: Services, params: protocol.SimilarParams, text: str, folders: list[Folder]
) -> list[FolderAnswer]:
    limit, scopes = limit_of(server, params), scopes_of(server, params, folders)

    def query(folder: Folder, workspace: Workspace, _: object) -> FolderAnswer:
        path, first, last = _excluded_lines(folder, params)
        filters = filters_of(params, scopes.get(folder.uri))
        answer = workspace.similar(SimilarRequest(path, first, last, text, filters, limit))
        return folder_answer(folder, answer, server.state.encoding)

    return await server.queries.query(folders, query)


def _excluded_lines(folder: Folder, params: protocol.SimilarParams) -> tuple[str, int, int]:
    """Path and lines of the range itself, as a folder has them; no path where it is not there."""
    if params.text_document is None or params.range is None:
        return "", 0, 0
    return folder.files.relative(params.text_document.uri) or "", *engine_lines(params.range)


async def _similar_to_chunk(
    server: Services, params: protocol.SimilarParams, folders: list[Folder]
) -> list[FolderAnswer]:
    """Its own folder is queried by location. The others are queried by its code, unless one around or inside it has the
    line too: then by location, if the file is in that index, which may leave it out.
    """
    home, path, line, uri = _position(server, params)
    limit, scopes = limit_of(server, params), scopes_of(server, params, {*folders, home})

    def own(folder: Folder, workspace: Workspace, _: object) -> FolderAnswer:
        filters = filters_of(params, scopes.get(folder.uri))
        answer = workspace.similar(SimilarRequest(path, line, filters=filters, limit=limit))
        return folder_answer(folder, answer, server.state.encoding)

    answers = await server.queries.query([home], own)
    others = [folder for folder in folders if folder is not home]
    codes = await server.queries.query(
        [home] if others else [], lambda _f, workspace, _c: workspace.code_at(path, line)
    )
    if not codes:  # no other folder, or the index at home is not open
        return answers

    def other(folder: Folder, workspace: Workspace, _: object) -> FolderAnswer:
        return folder_answer(folder, answer_of(folder, workspace), server.state.encoding)

    def answer_of(folder: Folder, workspace: Workspace) -> Answer:
        filters, same = filters_of(params, scopes.get(folder.uri)), folder.files.relative(uri)
        if same is not None:
            with suppress(QueryError):
                return workspace.similar(SimilarRequest(same, line, filters=filters, limit=limit))
        return workspace.similar(SimilarRequest(text=codes[0], filters=filters, limit=limit))

    return answers + await server.queries.query(others, other)


def _position(server: Services, params: protocol.SimilarParams) -> tuple[Folder, str, int, str]:
    """Folder, path, the engine's line and URI of the position of the parameters. Raises QueryError."""
    at = params.position or (params.range.start if params.range else None)
    if params.text_document is None or at is None:
        raise QueryError(UNCLEAR)
    uri = params.text_document.uri
    return *location_of(server, uri), at.line + 1, uri
