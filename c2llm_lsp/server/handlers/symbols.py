"""`workspace/symbol`: search by meaning and by name in every editor that can list symbols.

The answer is in the form that `SymbolInformation` and `WorkspaceSymbol` share: with a range, both are the same on the wire,
and no client has to resolve anything. Editors show the path beside a symbol by themselves, so it is not in its container.
VS Code shows only what has the query's letters in its name; what has no name is called by its most telling line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from lsprotocol import types as lsp

from c2llm_lsp.server import protocol_types
from c2llm_lsp.server.handlers.search import search
from c2llm_lsp.server.positions import split_lines

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server

COUNT = 50  # editors list them all and filter themselves
FIRST = 10  # sent ahead where the client takes partial results
NAME_CHARACTERS = 60  # of a line that stands for a name
KINDS = {
    "function": lsp.SymbolKind.Function,
    "method": lsp.SymbolKind.Method,
    "class": lsp.SymbolKind.Class,
    "block": lsp.SymbolKind.Module,
    "section": lsp.SymbolKind.String,
    "cell": lsp.SymbolKind.Module,
    "window": lsp.SymbolKind.File,
}


def register(server: Server) -> None:
    @server.feature(lsp.WORKSPACE_SYMBOL)
    async def symbols(params: lsp.WorkspaceSymbolParams) -> list[dict[str, Any]]:
        if not params.query.replace("\x00", " ").strip():
            return []
        if params.work_done_token is not None:
            server.work_done_progress.begin(params.work_done_token, lsp.WorkDoneProgressBegin("Searching"))
        try:
            answer = await search(server, protocol_types.SearchParams(query=params.query, limit=COUNT))
        finally:
            if params.work_done_token is not None:
                server.work_done_progress.end(params.work_done_token, lsp.WorkDoneProgressEnd())
                server.work_done_progress.tokens.pop(params.work_done_token, None)
        found = [_symbol(hit) for hit in answer.hits]
        if params.partial_result_token is None:
            return found
        for part in (found[:FIRST], found[FIRST:]):
            if part:
                server.protocol.notify(lsp.PROGRESS, lsp.ProgressParams(params.partial_result_token, part))
        return []


def _symbol(hit: protocol_types.Hit) -> dict[str, Any]:
    """A symbol on the wire. Its score is no part of LSP, but clangd has it too, and Kate sorts by it."""
    symbol: dict[str, Any] = {
        "name": hit.label or _line(hit) or f"{hit.path.rpartition('/')[2]}:{hit.selection_range.start.line + 1}",
        "kind": KINDS[hit.kind].value,
        "location": {"uri": hit.uri, "range": msgspec.to_builtins(hit.selection_range)},
        "score": hit.score,
    }
    return symbol | ({"containerName": hit.scope} if hit.scope else {})


def _line(hit: protocol_types.Hit) -> str:
    """The most telling line of a hit that defines no name."""
    rows = split_lines(hit.text)
    told = [line - hit.range.start.line for line in hit.salient_lines] or [0]
    line = " ".join(rows[min(told[0], len(rows) - 1)].split())
    return line if len(line) <= NAME_CHARACTERS else f"{line[: NAME_CHARACTERS - 1]}…"
