"""How the files of each language are cut."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from retrieval.chunking.embedded import HOSTS
from retrieval.chunking.grammars import GRAMMARS, version
from retrieval.chunking.languages import LANGUAGES, endings_of
from retrieval.chunking.patterns import SECTIONED, splitter_for

_MARKUP = frozenset({"astro", "ejs", "erb", "handlebars", "jsp", "razor", "svelte", "twig", "vue"})
Method = Literal["grammar", "patterns", "sections", "windows"]


@dataclass(frozen=True, slots=True)
class LanguageMethod:
    """A language, how it is cut, and what there is to say about that."""

    language: str
    method: Method
    note: str
    endings: tuple[str, ...]
    parts: str = ""  # of a file with several languages: what is cut by the rules of another language


def methods() -> list[LanguageMethod]:
    """All languages, by name."""
    return [_method(language) for language in LANGUAGES]


def _method(language: str) -> LanguageMethod:
    endings = endings_of(language)
    parts = HOSTS[language].parts if language in HOSTS else ""
    grammar = GRAMMARS.get(language)
    if grammar is not None and find_spec(grammar.module) is not None:
        return LanguageMethod(language, "grammar", version(language).rpartition(", ")[2], endings, parts)
    note = "" if grammar is None else f"grammar missing: pip install {grammar.module.replace('_', '-')}"
    return LanguageMethod(language, _without_grammar(language), note, endings, parts)


def _without_grammar(language: str) -> Method:
    if language in _MARKUP:
        return "grammar"  # that of HTML
    if language in SECTIONED or language in ("mdx", "rmarkdown"):
        return "sections"
    return "patterns" if splitter_for(language) is not None else "windows"
