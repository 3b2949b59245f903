"""`workspace/symbol`: search by meaning in every editor that can list symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from lsprotocol import types as lsp

from c2llm_lsp.server import requests
from c2llm_lsp.server.messages.search import search

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server

COUNT = 50  # editors list them all and filter themselves
FIRST = 10  # sent ahead where the client takes partial results
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
        if not params.query.strip():
            return []
        answer = await search(server, requests.SearchParams(query=params.query, limit=COUNT))
        found = [_symbol(hit) for hit in answer.hits]
        if params.partial_result_token is None:
            return found
        for part in (found[:FIRST], found[FIRST:]):
            if part:
                server.protocol.notify(lsp.PROGRESS, lsp.ProgressParams(params.partial_result_token, part))
        return []


def _symbol(hit: requests.Hit) -> dict[str, Any]:
    """A symbol on the wire. Its score is no part of LSP, but clangd has it too, and Kate sorts by it."""
    name = hit.symbol or f"{hit.path.rpartition('/')[2]}:{hit.range.start.line + 1}"
    return {
        "name": name,
        "kind": KINDS[hit.kind].value,
        "location": {"uri": hit.uri, "range": msgspec.to_builtins(hit.selection_range)},
        "containerName": f"{hit.path} {hit.scope}".strip(),
        "score": hit.score,
    }
