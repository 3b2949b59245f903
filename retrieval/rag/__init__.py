"""Context for assistants: the code for a query or a selection, packed into a token budget."""

from __future__ import annotations

from retrieval.rag.context import (
    DEFAULT_BUDGET,
    ContextRequest,
    PackedContext,
    Retrieved,
    asks_for_tests,
    context,
    limit_for,
    pack_retrieved,
    retrieve,
    retrieve_similar,
    selection,
    with_path_prefix,
)
from retrieval.rag.packing import Context, PackOptions, pack
from retrieval.rag.spans import TEXT_FORMATS, ContextSpan, TextFormat
from retrieval.rag.token_estimate import TokenCounter, estimate_tokens

__all__ = [
    "DEFAULT_BUDGET",
    "TEXT_FORMATS",
    "Context",
    "ContextRequest",
    "ContextSpan",
    "PackOptions",
    "PackedContext",
    "Retrieved",
    "TextFormat",
    "TokenCounter",
    "asks_for_tests",
    "context",
    "estimate_tokens",
    "limit_for",
    "pack",
    "pack_retrieved",
    "retrieve",
    "retrieve_similar",
    "selection",
    "with_path_prefix",
]
