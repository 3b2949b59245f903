"""Symbols as the index knows them: callers, callees and references of one, and outlines of files and folders."""

from retrieval.structure.answers import (
    CERTAINTIES,
    RELATIONS,
    Relation,
    SymbolAnswer,
    SymbolDefinition,
    SymbolRequest,
    Usage,
)
from retrieval.structure.relations import relate

__all__ = [
    "CERTAINTIES",
    "RELATIONS",
    "Relation",
    "SymbolAnswer",
    "SymbolDefinition",
    "SymbolRequest",
    "Usage",
    "relate",
]
