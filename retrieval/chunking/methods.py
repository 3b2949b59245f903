"""How the files of each language are cut."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from retrieval.chunking.grammars import GRAMMARS, version
from retrieval.chunking.languages import LANGUAGES, endings_of
from retrieval.chunking.patterns import SECTIONED, splitter_for

Method = Literal["grammar", "patterns", "sections", "windows"]


@dataclass(frozen=True, slots=True)
class LanguageMethod:
    """A language, how it is cut, and what there is to say about that."""

    language: str
    method: Method
    note: str
    endings: tuple[str, ...]


def methods() -> list[LanguageMethod]:
    """All languages, by name."""
    return [_method(language) for language in LANGUAGES]


def _method(language: str) -> LanguageMethod:
    endings = endings_of(language)
    grammar = GRAMMARS.get(language)
    if grammar is not None and find_spec(grammar.module) is not None:
        return LanguageMethod(language, "grammar", version(language).rpartition(", ")[2], endings)
    note = "" if grammar is None else f"grammar missing: pip install {grammar.module.replace('_', '-')}"
    if language in SECTIONED:
        return LanguageMethod(language, "sections", note, endings)
    return LanguageMethod(language, "patterns" if splitter_for(language) is not None else "windows", note, endings)
