"""Answers about symbols, from the same snapshot of stored rows and open buffers as a search. No encoder is needed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from retrieval.engine.context import EngineContext
from retrieval.engine.left_out import left_out_note
from retrieval.engine.requests import normalize_filters
from retrieval.errors import QueryError
from retrieval.indexing import CHUNKING_KEY, TEXT_VERSION, OverlaidRows
from retrieval.types import Freshness

if TYPE_CHECKING:
    from retrieval.structure import SymbolAnswer, SymbolRequest
    from retrieval.structure.outline import Outline

INCOMPLETE = "The index is from an earlier version: calls are known of the files that were read again so far."
CUT = "More files use this name than were looked at."

T = TypeVar("T")


class SymbolQueries:
    """Safe to use from many threads."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context

    def relate(self, request: SymbolRequest) -> SymbolAnswer:
        """Callers, callees or references of a symbol. Raises QueryError for what is no symbol."""
        from retrieval.structure import RELATIONS  # and all that reads names: a search needs none of it
        from retrieval.structure.lookup import split_symbol

        if request.relation not in RELATIONS:
            raise QueryError(f"There is no relation '{request.relation}'; relations are {', '.join(RELATIONS)}.")
        if request.limit < 1:
            raise QueryError(f"The limit is {request.limit}; give the number of results, from 1.")
        request = replace(request, filters=normalize_filters(request.filters, self._context.root))
        if request.location is None:
            split_symbol(request.symbol)  # raises QueryError
        started = time.perf_counter()
        filters, notes = self._context.scopes.resolve(request.filters)
        request = replace(request, filters=filters)
        answer = self._read(lambda rows: self._relate(rows, request, notes))
        return replace(answer, seconds=time.perf_counter() - started)

    def _relate(self, rows: OverlaidRows, request: SymbolRequest, scope_notes: tuple[str, ...]) -> SymbolAnswer:
        from retrieval.structure import SymbolAnswer, relate
        from retrieval.structure.lines import LineReader
        from retrieval.structure.lookup import definition_at, definitions_of, names_near

        if request.location is not None:
            definitions = [definition_at(rows, request.location)]
        else:
            definitions = definitions_of(rows, request.symbol)
        related = relate(rows, request.relation, definitions, request.filters, request.limit)
        near: tuple[str, ...] = ()
        notes = [*self._context.stores.notes, *self.notes(rows), *scope_notes]
        if related.is_cut:
            notes.append(CUT)
        if not definitions:
            near = tuple(names_near(rows, request.symbol))
            if note := left_out_note(rows.store, request.symbol, False):
                notes.append(note)
        usages = tuple(map(LineReader(rows).with_text, related.usages))
        symbol = request.symbol or definitions[0].qualified
        freshness = self.freshness()
        return SymbolAnswer(
            request.relation, symbol, tuple(definitions), usages, related.total, freshness,
            near=near, unresolved=related.unresolved, notes=tuple(dict.fromkeys(notes)),
        )  # fmt: skip

    def outline(self, path: str, budget: int, count: Callable[[str], int]) -> tuple[Outline, tuple[str, ...]]:
        """The outline of a file, a folder, or of all (""), in at most `budget` tokens by this counter, with notes.
        Raises QueryError.
        """
        from retrieval.structure.outline import outline

        if budget < 1:
            raise QueryError(f"The budget is {budget:,} tokens; give a number from 1, such as 2000.")
        path = "" if path in ("", ".") else path.removeprefix("./").rstrip("/")
        return self._read(lambda rows: (outline(rows, path, budget, count), tuple(self.notes(rows))))

    def freshness(self) -> Freshness:
        return self._context.freshness(self._context.loaded_fingerprint)

    def notes(self, rows: OverlaidRows) -> list[str]:
        """What should be said about structure in this index."""
        version = rows.store.meta.get(CHUNKING_KEY)
        return [INCOMPLETE] if version is not None and version != TEXT_VERSION else []

    def _read(self, ask: Callable[[OverlaidRows], T]) -> T:
        return self._context.stores.read(lambda: self._context.from_one_revision(ask))
