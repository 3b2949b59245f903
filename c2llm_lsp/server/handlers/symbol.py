"""`c2llm/symbol`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2llm_lsp.server import protocol
from c2llm_lsp.server.folders import Folder
from c2llm_lsp.server.handlers.locations import location_of
from c2llm_lsp.server.handlers.query_params import queried_folders, scopes_of
from c2llm_lsp.server.handlers.results import merged_freshness, missing_notes
from c2llm_lsp.server.services import Services
from retrieval.errors import QueryError
from retrieval.types import Filters, Location, SearchScope

if TYPE_CHECKING:
    from retrieval.engine import Workspace
    from retrieval.structure import SymbolAnswer, SymbolDefinition, Usage

DEFAULT_LIMIT = 100
UNCLEAR = "c2llm/symbol needs a `symbol`, or a `textDocument` with a `position`."


async def symbol(server: Services, params: protocol.SymbolParams) -> protocol.SymbolAnswer:
    """Usages of a symbol in all folders, each with the names of its own files; of a position those in its folder."""
    folders = await queried_folders(server, params)
    location: Location | None = None
    if params.text_document is not None and params.position is not None:
        home, path = location_of(server, params.text_document.uri)
        line = params.position.line + 1
        folders, location = [home], Location(path, line, line)
    elif not params.symbol.strip():
        raise QueryError(UNCLEAR)
    limit = params.limit or DEFAULT_LIMIT
    scopes = scopes_of(server, params, folders)

    def query(folder: Folder, workspace: Workspace, _: object) -> tuple[Folder, SymbolAnswer]:
        from retrieval.structure import SymbolRequest

        name, scope = "" if location else params.symbol, scopes.get(folder.uri, SearchScope())
        filters = Filters(tuple(params.languages), tuple(params.paths), scope=scope)
        return folder, workspace.symbols.relate(SymbolRequest(params.relation, name, location, filters, limit))

    answers = await server.queries.query(folders, query)
    usages = [(folder, usage) for folder, answer in answers for usage in answer.usages]
    definitions = [(folder, one) for folder, answer in answers for one in answer.definitions]
    return protocol.SymbolAnswer(
        definitions=[_definition(*one) for one in definitions],
        usages=_merged([_usage(*one) for one in usages])[:limit],
        total=sum(answer.total for _, answer in answers),
        near=[] if definitions else list(dict.fromkeys(name for _, answer in answers for name in answer.near)),
        unresolved=list(dict.fromkeys(name for _, answer in answers for name in answer.unresolved)),
        freshness=merged_freshness(server, [(folder, answer.freshness) for folder, answer in answers]),
        seconds=max((answer.seconds for _, answer in answers), default=0.0),
        notes=list(
            dict.fromkeys(
                [
                    *(note for _, answer in answers for note in answer.notes),
                    *missing_notes([folder for folder, _ in answers], folders),
                ]
            )
        ),
    )


def _merged(usages: list[protocol.SymbolUsage]) -> list[protocol.SymbolUsage]:
    """The best known first; a folder inside another one has its files in both indexes."""
    from retrieval.structure import CERTAINTIES

    ranked = sorted(usages, key=lambda usage: CERTAINTIES.index(usage.certainty))
    return list({(one.uri, one.range.start.line, one.symbol): one for one in reversed(ranked)}.values())[::-1]


def _definition(folder: Folder, one: SymbolDefinition) -> protocol.SymbolDefinition:
    return protocol.SymbolDefinition(
        uri=folder.files.uri_of(one.path),
        folder=folder.uri,
        path=one.path,
        range=_lines(one.first_line, one.last_line),
        line=one.line - 1,
        language=one.language,
        kind=one.kind,
        name=one.name,
        scope=one.scope,
    )


def _usage(folder: Folder, usage: Usage) -> protocol.SymbolUsage:
    return protocol.SymbolUsage(
        uri=folder.files.uri_of(usage.path),
        folder=folder.uri,
        path=usage.path,
        range=_lines(usage.line, usage.line),
        kind=usage.kind,
        symbol=usage.symbol,
        text=usage.text,
        certainty=usage.certainty,
        calls=[line - 1 for line in usage.calls],
    )


def _lines(first: int, last: int) -> protocol.Range:
    start, end = protocol.Position(line=first - 1, character=0), protocol.Position(line=last, character=0)
    return protocol.Range(start=start, end=end)
