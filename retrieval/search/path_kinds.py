"""What a path says about a file: its kind (test, example, declaration, ...) and the words of its name."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

FileKind = Literal["test", "example", "legacy", "declaration", "reexport", "prose", "data", "code"]

# Folders, then file names: Python, JavaScript, Go, Ruby, Java, .NET, Swift, Perl, R, Erlang, C and others name tests their own way.
_TEST = re.compile(
    r"(^|/)([Tt]ests?|[Tt]esting|testing_utils|test[-_]?utils?|__tests__|__specs__|[Ss]pecs?|testdata|test[-_]data|testsuites?|"
    r"test[-_]suites?|testthat|unit[-_]?tests?|fixtures|e2e|cypress|playwright|benchmarks?|mocks?|__mocks__|x?t|"
    r"[A-Za-z0-9]*(Unit|Integration|Functional|Acceptance|UI|Ui|E2E)?Tests|[\w.]+\.([A-Za-z]*Tests?|Specs?)|step_definitions)/"
    r"|(^|/)src/([a-z]\w*(Test|Tests|Fixtures|Spec)|test[A-Z]\w*|it)/"
    r"|(^|/)(test[_-][^/]*|tests?|specs?|conftest)\.(py|pyi|rs|rb|c|cc|cpp|cxx|h|hpp|js|mjs|cjs|ts|mts|jsx|tsx|lua|php|r|R|jl|exs?|ml|"
    r"nim|zig|d|cr|m|sh|bats|el|clj|cljs|go|swift|dart|f90|pl)$"
    r"|[._-](test|tests|spec|specs|bench|cy|e2e|it)\.[^/.]+$|_(test|tests|unittest|unittests|spec|specs)\.[^/.]+$"
    r"|[a-z0-9](Test|Tests|TestCase|Spec|Specs|IT|ITCase|UITests)\.[^/.]+$|(^|/)Test[A-Z]\w*\.(java|kt|kts|groovy|scala|hs|php|cs)$"
    r"|_SUITE\.erl$|\.(t|bats|feature|cy)$",
)
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
    ("test", lambda path, _: bool(_TEST.search(path))),
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
