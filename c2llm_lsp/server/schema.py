"""Every own message with its types, and the JSON Schema made from them."""

from __future__ import annotations

from typing import Any

import msgspec

from c2llm_lsp import __version__
from c2llm_lsp.server import requests as r
from c2llm_lsp.server.greeting import VERSION

# Parameters and answer; a notification has no answer.
METHODS: dict[str, tuple[type[r.Wire], type[r.Wire] | None]] = {
    r.SEARCH: (r.SearchParams, r.Answer),
    r.SIMILAR: (r.SimilarParams, r.Answer),
    r.CONTEXT: (r.ContextParams, r.ContextAnswer),
    r.EXPLAIN: (r.ExplainParams, r.ExplainAnswer),
    r.STATUS: (r.StatusParams, r.StatusAnswer),
    r.STATUS_CHANGED: (r.StatusChanged, None),
}


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of every own request, its answer and the notification."""
    types = {kind: None for pair in METHODS.values() for kind in pair if kind is not None}
    _, parts = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    methods: dict[str, dict[str, Any]] = {}
    for method, (params, answer) in METHODS.items():
        methods[method] = {"params": {"$ref": f"#/$defs/{params.__name__}"}}
        if answer is not None:
            methods[method]["result"] = {"$ref": f"#/$defs/{answer.__name__}"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "c2llm requests",
        "version": VERSION,
        "server": __version__,
        "methods": methods,
        "$defs": dict(sorted(parts.items())),
    }
