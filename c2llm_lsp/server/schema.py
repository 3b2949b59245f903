"""Every own message with its types, and the JSON Schema made from them."""

from __future__ import annotations

from typing import Any

import msgspec

from c2llm_lsp import __version__
from c2llm_lsp.server import protocol_types as r
from c2llm_lsp.server.fast_initialize import COPY_CONTEXT, FIND_SIMILAR, VERSION

# Parameters and answer; a notification has no answer.
METHODS: dict[str, tuple[type[r.Wire], type[r.Wire] | None]] = {
    r.SEARCH: (r.SearchParams, r.Answer),
    r.SIMILAR: (r.SimilarParams, r.Answer),
    r.CONTEXT: (r.ContextParams, r.ContextAnswer),
    r.EXPLAIN: (r.ExplainParams, r.ExplainAnswer),
    r.STATUS: (r.StatusParams, r.StatusAnswer),
    r.STATUS_CHANGED: (r.StatusChanged, None),
}
# `workspace/executeCommand`: the one argument, and the result.
COMMANDS: dict[str, tuple[type[r.Wire], type[r.Wire]]] = {
    FIND_SIMILAR: (r.SimilarParams, r.Answer),
    COPY_CONTEXT: (r.ContextParams, r.SavedContext),
    "c2llm.server.search": (r.SearchParams, r.Answer),
    "c2llm.server.reindex": (r.ReindexParams, r.StatusAnswer),
    "c2llm.server.status": (r.StatusParams, r.StatusAnswer),
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


def _described(given: str, params: type[r.Wire], answer: type[r.Wire] | None) -> dict[str, Any]:
    """What goes in and what comes out, by reference."""
    parts = {given: params} if answer is None else {given: params, "result": answer}
    return {name: {"$ref": f"#/$defs/{kind.__name__}"} for name, kind in parts.items()}
