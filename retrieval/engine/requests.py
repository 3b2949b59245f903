"""Requests as the engine works on them: checked, and in one form whichever way they were written.

Every edge (CLI, LSP, MCP, RAG) hands over what the user wrote. Normalizing twice changes nothing, so an edge that wants to
report a mistake before it does expensive work may do it first.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from retrieval.chunking.languages import LANGUAGES, content_type, named
from retrieval.errors import QueryError
from retrieval.globs import PathGlobs
from retrieval.search.weights import RANKINGS, ranking_named
from retrieval.text_pattern import TextPattern
from retrieval.types import CHUNK_KINDS, CONTENT_TYPES, Filters, SearchRequest, SimilarRequest

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
    languages = tuple(map(_language, filters.languages))
    if filters.whole_files or filters.no_files:  # normalized before
        return replace(filters, languages=languages, paths=paths, kinds=kinds)
    accepted = _languages(languages, filters.content)
    content = [name.strip().lower() for name in filters.content]
    docs = tuple(name for name in LANGUAGES if content_type(name) == "docs")
    whole_files = accepted if languages else docs if "docs" in content else ()
    no_files = docs if content and "docs" not in content else ()
    return Filters(accepted, paths, kinds, (), filters.grep, whole_files, no_files)


def _normalize(request: Request, root: Path) -> Request:
    if request.limit < 1:
        raise QueryError(f"The limit is {request.limit}; give the number of results, from 1.")
    filters = normalize_filters(request.filters, root)
    return request if filters == request.filters else replace(request, filters=filters)


def _language(name: str) -> str:
    language = named(name.strip())
    if language is None:
        raise QueryError(f"There is no language '{name}'; languages are {', '.join(LANGUAGES)}.")
    return language


def _languages(named_languages: tuple[str, ...], content: tuple[str, ...]) -> tuple[str, ...]:
    """The languages of some types of content, of those that are named where any are."""
    types = [name.strip().lower() for name in content]
    if unknown := [name for name in types if name not in CONTENT_TYPES]:
        raise QueryError(f"There is no type of content '{unknown[0]}'; types are {', '.join(CONTENT_TYPES)}.")
    if not types:
        return named_languages
    accepted = tuple(name for name in LANGUAGES if content_type(name) in types)
    if not named_languages:
        return accepted
    if both := tuple(name for name in named_languages if name in accepted):
        return both
    raise QueryError(
        f"No language of {', '.join(named_languages)} is {' or '.join(types)}: use one of the two filters."
    )


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
