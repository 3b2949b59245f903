"""Requests as the engine works on them: checked, and in one form whichever way they were written.

Every edge (CLI, LSP, MCP, RAG) hands over what the user wrote. Normalizing twice changes nothing, so an edge that wants to
report a mistake before it does expensive work may do it first.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from retrieval.engine.scopes import normalize_scope
from retrieval.errors import QueryError
from retrieval.globs import PathGlobs
from retrieval.search.weights import RANKINGS, ranking_named
from retrieval.text_pattern import TextPattern
from retrieval.types import CHUNK_KINDS, Filters, SearchRequest, SimilarRequest

NO_CODE = "There is no code to compare with: give a file and line, or a piece of code."

Request = TypeVar("Request", SearchRequest, SimilarRequest)


def normalize_search(request: SearchRequest, root: Path) -> SearchRequest:
    """Raises QueryError for what cannot be answered, with what is accepted."""
    if ranking_named(request.ranking) is None:
        raise QueryError(f"There is no ranking '{request.ranking}'; rankings are {', '.join(RANKINGS)}.")
    return _normalize(request, root)


def normalize_similar(request: SimilarRequest, root: Path) -> SimilarRequest:
    """Raises QueryError for what cannot be answered, with what is accepted."""
    if not request.path and not request.text.strip():
        raise QueryError(NO_CODE)
    return _normalize(request, root)


def normalize_filters(filters: Filters, root: Path) -> Filters:
    """Languages by their names, content types as languages, kinds as they are stored, globs from the workspace's root.
    Raises QueryError.
    """
    if not filters:
        return filters
    paths = tuple(_from_root(glob, root) for glob in filters.paths)
    PathGlobs(paths)  # raises QueryError for what is no glob
    if filters.grep:
        TextPattern(filters.grep)  # raises QueryError for what is no pattern
    kinds = tuple(map(_kind, filters.kinds))
    filters = replace(filters, paths=paths, kinds=kinds, scope=normalize_scope(filters.scope))
    if not filters.languages and not filters.content:
        return filters
    from retrieval.engine.language_filters import normalize_languages  # with 100 patterns, which few queries need

    return normalize_languages(filters)


def _normalize(request: Request, root: Path) -> Request:
    if request.limit < 1:
        raise QueryError(f"The limit is {request.limit}; give the number of results, from 1.")
    filters = normalize_filters(request.filters, root)
    return request if filters == request.filters else replace(request, filters=filters)


def _kind(name: str) -> str:
    kind = name.strip().lower()
    if kind not in CHUNK_KINDS:
        raise QueryError(f"There is no kind '{name}'; kinds are {', '.join(CHUNK_KINDS)}.")
    return kind


def _from_root(glob: str, root: Path) -> str:
    """A glob that begins with ./ or with the workspace's own path, as one that begins at the workspace."""
    bar, path = ("!", glob[1:]) if glob.startswith("!") else ("", glob)
    prefix = next((text for text in (".", root.as_posix()) if f"{path}/".startswith(f"{text}/")), None)
    if prefix is None:
        return glob
    path = path[len(prefix) :]
    return bar + (path if path.strip("/") else "**")
