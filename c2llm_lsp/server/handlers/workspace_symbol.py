"""`workspace/symbol`: search by meaning and by name in every editor that can list symbols.

The answer is in the form that `SymbolInformation` and `WorkspaceSymbol` share: with a range, both are the same on the wire,
and no client has to resolve anything. Editors show the path beside a symbol by themselves, so it is not in its container.
VS Code shows only what has the query's letters in its name; code without a name is titled by its most relevant line.
"""

from __future__ import annotations

from typing import Any

import msgspec
from lsprotocol import types as lsp

from c2llm_lsp.render.escape import escape_line
from c2llm_lsp.server import protocol
from c2llm_lsp.server.handlers.search import search
from c2llm_lsp.server.services import Services
from c2llm_lsp.server.text.positions import split_lines

LIMIT = 50  # editors list them all and filter themselves
FIRST = 10  # sent ahead where the client takes partial results
TITLE_CHARACTERS = 60  # of a line that stands for a name
KINDS = {
    "function": lsp.SymbolKind.Function,
    "method": lsp.SymbolKind.Method,
    "class": lsp.SymbolKind.Class,
    "block": lsp.SymbolKind.Module,
    "section": lsp.SymbolKind.String,
    "cell": lsp.SymbolKind.Module,
    "window": lsp.SymbolKind.File,
}


async def workspace_symbol(server: Services, params: lsp.WorkspaceSymbolParams) -> list[dict[str, Any]]:
    """The search results as symbols; sent in two parts where the client takes partial results."""
    if not params.query.replace("\x00", " ").strip():
        return []
    if params.work_done_token is not None:
        server.client.send_progress(params.work_done_token, lsp.WorkDoneProgressBegin("Searching"))
    try:
        answer = await search(server, protocol.SearchParams(query=params.query, limit=LIMIT))
    finally:
        if params.work_done_token is not None:
            server.client.send_progress(params.work_done_token, lsp.WorkDoneProgressEnd())
    symbols = [symbol_of(hit) for hit in answer.hits]
    if params.partial_result_token is None:
        return symbols
    for part in (symbols[:FIRST], symbols[FIRST:]):
        if part:
            server.client.send_progress(params.partial_result_token, part)
    return []


def symbol_of(hit: protocol.Hit) -> dict[str, Any]:
    """A symbol on the wire. Its score is no part of LSP, but clangd has it too, and Kate sorts by it."""
    symbol: dict[str, Any] = {
        "name": escape_line(
            hit.label or _title(hit) or f"{hit.path.rpartition('/')[2]}:{hit.selection_range.start.line + 1}"
        ),
        "kind": KINDS[hit.kind].value,
        "location": {"uri": hit.uri, "range": msgspec.to_builtins(hit.selection_range)},
        "score": hit.score,
    }
    return symbol | ({"containerName": escape_line(hit.scope)} if hit.scope else {})


def _title(hit: protocol.Hit) -> str:
    """The most relevant line of a hit that defines no name."""
    rows = split_lines(hit.text)
    salient = [line - hit.range.start.line for line in hit.salient_lines] or [0]
    line = " ".join(rows[min(salient[0], len(rows) - 1)].split())
    return line if len(line) <= TITLE_CHARACTERS else f"{line[: TITLE_CHARACTERS - 1]}…"
