"""Context for assistants: the code for a query or a selection, packed into a token budget."""

from __future__ import annotations

from retrieval.rag.context import (
    DEFAULT_BUDGET,
    DEFAULT_LIMIT,
    ContextRequest,
    PackedContext,
    Retrieved,
    context,
    pack_retrieved,
    retrieve,
    retrieve_similar,
    selection,
    with_path_prefix,
)
from retrieval.rag.packing import Context, pack
from retrieval.rag.spans import ContextSpan
from retrieval.rag.token_estimate import TokenCounter, estimate_tokens

__all__ = [
    "DEFAULT_BUDGET",
    "DEFAULT_LIMIT",
    "Context",
    "ContextRequest",
    "ContextSpan",
    "PackedContext",
    "Retrieved",
    "TokenCounter",
    "context",
    "estimate_tokens",
    "pack",
    "pack_retrieved",
    "retrieve",
    "retrieve_similar",
    "selection",
    "with_path_prefix",
]
