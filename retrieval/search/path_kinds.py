"""What a path says about a file: its kind (test, example, declaration, ...) and the words of its name."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

from retrieval.globs import is_test

FileKind = Literal["test", "example", "legacy", "declaration", "reexport", "prose", "data", "code"]

_EXAMPLE = re.compile(r"(^|/)(examples?|demos?|samples?|tutorials?|docs?_src|playground|cookbook)/", re.IGNORECASE)
_LEGACY = re.compile(
    r"(^|/|[._-])(legacy|compat|_compat|deprecated|obsolete|old|v0|polyfills?|vendor|vendored|third_party)([._/-]|$)"
)
_DECLARATION = re.compile(r"\.d\.[mc]?ts$|\.pyi$")
_REEXPORT = re.compile(r"(^|/)(__init__\.py|index\.[mc]?[jt]sx?|mod\.rs|lib\.rs|package-info\.java)$")
_PROSE = frozenset({"asciidoc", "markdown", "org", "rst", "text"})
_PROSE_FILE = re.compile(r"\.(md|markdown|mkd|mdown|mdx)$", re.IGNORECASE)  # code in them explains something
_PAGE = re.compile(r"\.x?html?$", re.IGNORECASE)  # markup elsewhere belongs to a component or a template
_DATA = frozenset({"json", "yaml", "toml", "xml", "css", "scss", "html", "svg", "csv", "ini"})

# Such a file name says nothing; the folder's name does.
_NAMELESS = frozenset({"index", "__init__", "mod", "lib", "main", "init", "package"})


@lru_cache(maxsize=65_536)
def kind_of(path: str, language: str) -> FileKind:
    """The first kind that fits, in the order of how much it says."""
    for kind, fits in _KINDS:
        if fits(path, language):
            return kind
    return "code"


_KINDS: tuple[tuple[FileKind, Callable[[str, str], bool]], ...] = (
    ("test", lambda path, _: is_test(path)),
    ("example", lambda path, _: bool(_EXAMPLE.search(path))),
    ("prose", lambda path, language: language in _PROSE or bool(_PROSE_FILE.search(path))),
    ("data", lambda path, language: language in _DATA and (language != "html" or bool(_PAGE.search(path)))),
    ("legacy", lambda path, _: bool(_LEGACY.search(path))),
    ("declaration", lambda path, _: bool(_DECLARATION.search(path))),
    ("reexport", lambda path, _: bool(_REEXPORT.search(path))),
)


@lru_cache(maxsize=65_536)
def name_of(path: str) -> tuple[str, str]:
    """The significant part of a file's name and the folders above it: "a/b/session.test.ts" -> ("session", "a/b")."""
    folder, _, name = path.rpartition("/")
    bare = name.split(".", 1)[0] if not name.startswith(".") else name
    if bare.lower() in _NAMELESS and folder:
        folder, _, bare = folder.rpartition("/")
    return bare, folder
