"""Every own message with its types, and the JSON Schema made from them."""

from __future__ import annotations

from typing import Any

import msgspec

from c2llm_lsp import __version__
from c2llm_lsp.server import protocol
from c2llm_lsp.server.fast_initialize import COPY_CONTEXT, FIND_SIMILAR, VERSION

# Parameters and answer; a notification has no answer.
METHODS: dict[str, tuple[type[protocol.ProtocolType], type[protocol.ProtocolType] | None]] = {
    protocol.SEARCH: (protocol.SearchParams, protocol.Answer),
    protocol.SIMILAR: (protocol.SimilarParams, protocol.Answer),
    protocol.CONTEXT: (protocol.ContextParams, protocol.ContextAnswer),
    protocol.SYMBOL: (protocol.SymbolParams, protocol.SymbolAnswer),
    protocol.OUTLINE: (protocol.OutlineParams, protocol.OutlineAnswer),
    protocol.EXPLAIN: (protocol.ExplainParams, protocol.ExplainAnswer),
    protocol.STATUS: (protocol.StatusParams, protocol.StatusAnswer),
    protocol.STATUS_CHANGED: (protocol.StatusChanged, None),
}
# `workspace/executeCommand`: the one argument, and the result.
COMMANDS: dict[str, tuple[type[protocol.ProtocolType], type[protocol.ProtocolType]]] = {
    FIND_SIMILAR: (protocol.SimilarParams, protocol.Answer),
    COPY_CONTEXT: (protocol.ContextParams, protocol.SavedContext),
    "c2llm.server.search": (protocol.SearchParams, protocol.Answer),
    "c2llm.server.reindex": (protocol.ReindexParams, protocol.StatusAnswer),
    "c2llm.server.status": (protocol.StatusParams, protocol.StatusAnswer),
}


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of every own request, its answer, the notification and the commands."""
    pairs = [*METHODS.values(), *COMMANDS.values()]
    types = {kind: None for pair in pairs for kind in pair if kind is not None}
    _, parts = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    for part in parts.values():  # docstrings come with their indentation
        part["description"] = " ".join(part["description"].split())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "c2llm requests",
        "version": VERSION,
        "server": __version__,
        "methods": {name: _described("params", *pair) for name, pair in METHODS.items()},
        "commands": {name: _described("argument", *pair) for name, pair in COMMANDS.items()},
        "$defs": dict(sorted(parts.items())),
    }


def _described(
    given: str, params: type[protocol.ProtocolType], answer: type[protocol.ProtocolType] | None
) -> dict[str, Any]:
    """What goes in and what comes out, by reference."""
    parts = {given: params} if answer is None else {given: params, "result": answer}
    return {name: {"$ref": f"#/$defs/{kind.__name__}"} for name, kind in parts.items()}
