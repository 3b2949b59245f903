"""Code for assistants: what a question or a selection needs, packed into a budget of tokens."""

from __future__ import annotations

from retrieval.rag.context import (
    BUDGET,
    HITS,
    Found,
    Packed,
    context,
    context_around,
    find,
    find_like,
    pack_found,
    renamed,
    selection,
)
from retrieval.rag.packing import Context, pack
from retrieval.rag.spans import Piece
from retrieval.rag.token_estimate import Count, estimate

__all__ = [
    "BUDGET",
    "HITS",
    "Context",
    "Count",
    "Found",
    "Packed",
    "Piece",
    "context",
    "context_around",
    "estimate",
    "find",
    "find_like",
    "pack",
    "pack_found",
    "renamed",
    "selection",
]
