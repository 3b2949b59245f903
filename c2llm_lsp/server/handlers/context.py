"""`c2llm/context`: results for a question or like a selection, from all folders, packed as one Markdown text.

With several folders each path is cited behind its folder's name. A selection in a file that is not indexed (it may be
ignored, or lie elsewhere) is shown as it is in the editor.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from c2llm_lsp.server import protocol
from c2llm_lsp.server.folders import Folder
from c2llm_lsp.server.handlers.locations import document_at, engine_lines
from c2llm_lsp.server.handlers.query_params import filters_of, queried_folders, scopes_of
from c2llm_lsp.server.handlers.results import merged_freshness, merged_notes
from c2llm_lsp.server.services import Services
from c2llm_lsp.server.text.positions import split_lines, whole_lines
from retrieval.errors import QueryError
from retrieval.rag import (
    Context,
    ContextSpan,
    PackOptions,
    Retrieved,
    asks_for_tests,
    limit_for,
    pack_retrieved,
    retrieve,
    retrieve_similar,
    selection,
    with_path_prefix,
)
from retrieval.types import Chunk, Hit

if TYPE_CHECKING:
    from retrieval.engine import Workspace

UNCLEAR = "c2llm/context needs a `query`, or a `textDocument` with a `position` or a `range`, or both."
AROUND = 10  # lines before and after a cursor in a file that is not cut into chunks


async def context(server: Services, params: protocol.ContextParams) -> protocol.ContextAnswer:
    """The best results of all folders for a question, a selection, or both, packed to the budget."""
    folders = await queried_folders(server, params)
    question, scopes = (params.query or "").strip(), scopes_of(server, params, folders)
    limit = params.limit or limit_for(params.budget)
    prefixes = _prefixes(server.state.folders)
    selected = await _selection(server, params, prefixes)
    if not question and selected is None:
        raise QueryError(UNCLEAR)

    def query(folder: Folder, workspace: Workspace, _: object) -> tuple[Folder, Retrieved]:
        filters = filters_of(params, scopes.get(folder.uri))
        prefix = prefixes.get(folder.uri, f"{folder.name}/")  # one that was removed meanwhile has none
        if selected is None or question:
            return folder, retrieve(workspace, question, limit=limit, filters=filters, prefix=prefix)
        return folder, retrieve_similar(workspace, selected.hit, limit=limit, filters=filters, prefix=prefix)

    found = _without_repetition(await server.queries.query(folders, query))
    first = [] if selected is None else [with_path_prefix(selected.hit, selected.origin.prefix)]
    options = PackOptions(tests=asks_for_tests(question, first))
    packed = await server.queries.run(
        lambda: pack_retrieved([one for _, one in found], first, params.budget, options, limit=limit)
    )
    return _answer(server, folders, found, selected, packed)


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a cited file is."""

    uri: str
    folder: str
    path: str
    prefix: str


@dataclass(frozen=True, slots=True)
class _Selection:
    hit: Hit
    origin: _Origin


async def _selection(server: Services, params: protocol.ContextParams, prefixes: dict[str, str]) -> _Selection | None:
    """What is selected, if anything is. Raises QueryError where it can be had neither from the index nor as text."""
    span = params.range
    if span is None and params.position is not None:
        span = protocol.Range(start=params.position, end=params.position)
    if params.text_document is None or span is None:
        return None
    uri, (start, end) = params.text_document.uri, engine_lines(span)
    if (location := server.state.location(uri)) is not None:
        folder, path = location
        origin = _Origin(folder.files.uri_of(path), folder.uri, path, prefixes.get(folder.uri, f"{folder.name}/"))

        def query(_folder: Folder, workspace: Workspace, _cancel: object) -> Hit | None:
            try:
                return selection(workspace, path, start, end)
            except QueryError:
                return None

        for hit in await server.queries.query([folder], query):
            if hit is not None:
                return _Selection(hit, origin)
    else:
        path = PurePosixPath(unquote(urlsplit(uri).path)).name or "selection"
        origin = _Origin(uri, "", path, "")
    text = (await document_at(server, uri)).text
    if span.start == span.end:
        start, end = start - AROUND, end + AROUND
    return _Selection(_lines_as_hit(path, text, start, end), origin)


def _lines_as_hit(path: str, text: str, start: int, end: int) -> Hit:
    """Lines of a text as a hit."""
    rows = split_lines(text)
    start, end = max(1, min(start, len(rows))), max(1, min(end, len(rows)))
    shown = "".join(rows[start - 1 : end]).rstrip("\r\n")
    return Hit(Chunk(path, "text", "window", "", "", start, end, 0, 0, shown), start, end, shown, 1.0)


def _prefixes(folders: list[Folder]) -> dict[str, str]:
    """The prefix of the paths of each folder, by its URI: none for a single folder, else its name, made unique."""
    if len(folders) == 1:
        return {folders[0].uri: ""}
    names: dict[str, Folder] = {}
    for folder in folders:
        name, n = folder.name, 2
        while name in names:
            name, n = f"{folder.name}-{n}", n + 1
        names[name] = folder
    return {folder.uri: f"{name}/" for name, folder in names.items()}


def _without_repetition(found: list[tuple[Folder, Retrieved]]) -> list[tuple[Folder, Retrieved]]:
    """Without the files that a folder around or inside another one has as well."""
    owner: dict[str, Folder] = {}
    out = []
    for folder, one in found:
        hits = tuple(
            hit for hit in one.answer.hits if owner.setdefault(folder.files.uri_of(hit.chunk.path), folder) is folder
        )
        out.append((folder, replace(one, answer=replace(one.answer, hits=hits))))
    return out


def _answer(
    server: Services,
    folders: list[Folder],
    found: list[tuple[Folder, Retrieved]],
    selected: _Selection | None,
    packed: Context,
) -> protocol.ContextAnswer:
    answers = [(folder, one.answer) for folder, one in found]

    def origin(path: str) -> _Origin:
        if selected is not None and path == selected.origin.prefix + selected.hit.chunk.path:
            return selected.origin
        folder, prefix = next((folder, one.prefix) for folder, one in found if path.startswith(one.prefix))
        inside = path[len(prefix) :]
        return _Origin(folder.files.uri_of(inside), folder.uri, inside, prefix)

    return protocol.ContextAnswer(
        text=packed.text,
        pieces=[_citation(server, origin(span.path), span) for span in packed.spans],
        tokens=packed.tokens,
        budget=packed.budget,
        left_out=packed.left_out,
        encoder=next((answer.encoder for _, answer in answers if answer.encoder), ""),
        freshness=merged_freshness(server, [(folder, answer.freshness) for folder, answer in answers]),
        notes=merged_notes(answers, folders),
    )


def _citation(server: Services, origin: _Origin, span: ContextSpan) -> protocol.Citation:
    """A span ends with its last line, also one that leaves lines out."""
    last = split_lines(span.text)[-1]
    return protocol.Citation(
        uri=origin.uri,
        folder=origin.folder,
        path=origin.path,
        range=protocol.to_protocol_range(whole_lines(span.start_line, span.end_line, last, server.state.encoding)),
        kind=span.kind,
    )
