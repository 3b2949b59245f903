"""The filters by language and by type of content: checked, and as names of languages."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches

from retrieval.chunking.languages import LANGUAGES, content_type, named
from retrieval.errors import QueryError
from retrieval.types import CONTENT_TYPES, Filters


def normalize_languages(filters: Filters) -> Filters:
    """Languages by their names, content types as languages. Raises QueryError."""
    languages = tuple(map(_language, filters.languages))
    if filters.whole_files or filters.no_files:  # normalized before
        return replace(filters, languages=languages)
    accepted = _languages(languages, filters.content)
    content = [name.strip().lower() for name in filters.content]
    docs = tuple(name for name in LANGUAGES if content_type(name) == "docs")
    whole_files = accepted if languages else docs if "docs" in content else ()
    no_files = docs if content and "docs" not in content else ()
    return replace(filters, languages=accepted, content=(), whole_files=whole_files, no_files=no_files)


def _language(name: str) -> str:
    language = named(name.strip())
    if language is None:
        near = get_close_matches(name.strip().lower(), LANGUAGES, 3)
        like = f" Like it: {', '.join(near)}." if near else ""
        raise QueryError(f"There is no language '{name}'.{like} Languages are {', '.join(LANGUAGES)}.")
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
