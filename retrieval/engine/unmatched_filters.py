"""Why an answer is empty: which filter matches nothing in the index, and what there is instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from retrieval.engine.requests import normalize_filters
from retrieval.search import SearchResult, Snapshot
from retrieval.types import Filters

LISTED = 12  # languages of the index that are named: a sentence's worth


Languages = Callable[[], Mapping[str, int]]  # of the index, those with most code first


def explained(
    result: SearchResult, snapshot: Snapshot, filters: Filters, root: Path, languages: Languages
) -> SearchResult:
    """The result; an empty one with notes on the filters, as they were written."""
    if result.hits or not filters:
        return result
    notes = tuple(_notes(snapshot, filters, root, languages))
    return replace(result, notes=(*notes, *result.notes)) if notes else result


def _notes(snapshot: Snapshot, filters: Filters, root: Path, languages: Languages) -> Iterator[str]:
    """Each filter is tried by itself: it takes some milliseconds, and only where nothing was found."""

    def is_empty(part: Filters) -> bool:
        allowed = snapshot.rows.allowed(normalize_filters(part, root))
        return allowed is not None and not len(allowed)

    for name in filters.languages:
        if is_empty(Filters(languages=(name,))):
            yield f"No {name} is indexed{_existing(list(languages()))}."
    for kind in filters.kinds:
        if is_empty(Filters(kinds=(kind,))):
            yield f"No code of the kind {kind} is indexed."
    for glob in filters.paths:
        if not glob.startswith("!") and is_empty(Filters(paths=(glob,))):
            yield f"No indexed file matches the path {glob}."


def _existing(names: list[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"; there is {', '.join(names[:LISTED])}{more}" if names else ""
