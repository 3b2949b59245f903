"""Detects a file's language by its name, its ending, then its content.

Choices: an ending that one language has decides; where several share it, a line for editors does, then the content
(shared_endings.py), then the files beside it (neighbors.py), and so it is with a shebang where there is no known ending.
Endings that are unknown here are looked up in the table of Pygments. What is still unknown is code, unless it reads as prose.
"""

from __future__ import annotations

import re
from functools import cache

from retrieval.chunking.neighbors import Neighbors, without_template
from retrieval.chunking.shared_endings import is_prose, shared_language, told_languages
from retrieval.types import ContentType

TEXT = "text"
CODE = "code"  # of an unknown language

_ENDINGS_OF: dict[str, str] = {
    "ada": "adb ads",
    "assembly": "asm s",
    "asciidoc": "adoc asciidoc asc",
    "astro": "astro",
    "bash": "sh bash zsh ksh bats ebuild eclass",
    "bitbake": "bbclass bbappend",
    "batch": "bat cmd",
    "bicep": "bicep",
    "c": "c h",
    "apex": "trigger",
    "forth": "fth 4th forth",
    "gdscript": "gd",
    "clojure": "clj cljs cljc edn",
    "cmake": "cmake",
    "cpp": "cpp cc cxx c++ hpp hh hxx h++ ipp ixx cppm tpp inl cu cuh ino",
    "cobol": "cob cbl cpy",
    "crystal": "cr",
    "csharp": "cs csx",
    "css": "css",
    "csv": "csv tsv",
    "cython": "pyx pxd pxi",
    "d": "d",
    "dart": "dart",
    "diff": "diff patch",
    "ejs": "ejs",
    "elixir": "ex exs",
    "elm": "elm",
    "erb": "erb rhtml",
    "erlang": "erl hrl",
    "fish": "fish",
    "fortran": "f f77 f90 f95 f03 f08 f18 for ftn",
    "fsharp": "fs fsi fsx",
    "flatbuffers": "fbs",
    "gherkin": "feature",
    "gleam": "gleam",
    "glsl": "glsl vert frag geom tesc tese comp vs hlsl wgsl metal",
    "go": "go",
    "graphql": "graphql gql",
    "groovy": "groovy gradle",
    "handlebars": "hbs handlebars mustache",
    "haskell": "hs lhs",
    "hcl": "tf hcl tfvars",
    "html": "html htm xhtml",
    "ini": "ini cfg conf properties editorconfig",
    "java": "java",
    "javascript": "js mjs cjs jsx",
    "json": "json jsonc json5 jsonl ndjson geojson webmanifest",
    "jsp": "jsp jspf jspx tag",
    "julia": "jl",
    "just": "just",
    "kotlin": "kt kts",
    "less": "less",
    "lean": "lean",
    "lisp": "lisp lsp asd cl el scm rkt",
    "lua": "lua",
    "mathematica": "wl wls",
    "markdown": "md markdown mkd mdown",
    "mdx": "mdx",
    "nim": "nim nims",
    "nushell": "nu",
    "nix": "nix",
    "notebook": "ipynb",
    "objc": "m mm",
    "odin": "odin",
    "opencl": "opencl",
    "ocaml": "ml mli",
    "org": "org",
    "pascal": "pas dpr lpr dpk",
    "perl": "pl pm t cgi fcgi psgi",
    "php": "php phtml php8",
    "powershell": "ps1 psm1 psd1",
    "prolog": "pro prolog yap",
    "proto": "proto",
    "puppet": "pp epp",
    "python": "py pyi pyw",
    "r": "r",
    "razor": "cshtml razor",
    "rmarkdown": "rmd qmd",
    "rst": "rst",
    "ruby": "rb rake gemspec ru podspec",
    "rust": "rs",
    "scala": "scala sc sbt",
    "scss": "scss sass",
    "solidity": "sol",
    "sml": "sig",
    "sql": "sql psql mysql plsql ddl pls pks pkb tsql",
    "starlark": "bzl star bazel",
    "svelte": "svelte",
    "swift": "swift",
    "tcl": "tcl",
    "supercollider": "scd",
    "tex": "tex sty cls bib ltx dtx",
    "text": "txt text log",
    "thrift": "thrift",
    "toml": "toml",
    "tsx": "tsx",
    "twig": "twig",
    "typescript": "ts mts cts",
    "v": "vv vsh",
    "vb": "vb bas vba vbs frm",
    "verilog": "v sv svh vh vlg",
    "vhdl": "vhd vhdl",
    "vim": "vim",
    "vue": "vue",
    "xml": "xml xsd xsl xslt plist csproj fsproj vbproj props targets resx wsdl xaml",
    "yaml": "yaml yml",
    "zig": "zig zon",
}
_BY_ENDING = {ending: language for language, endings in _ENDINGS_OF.items() for ending in endings.split()}
_BY_NAME: dict[str, str] = {
    "makefile": "make", "gnumakefile": "make", "dockerfile": "dockerfile", "containerfile": "dockerfile",
    "cmakelists.txt": "cmake", "meson.build": "meson", "build": "starlark", "workspace": "starlark", "buck": "starlark",
    "rakefile": "ruby", "gemfile": "ruby", "podfile": "ruby", "vagrantfile": "ruby", "brewfile": "ruby",
    "guardfile": "ruby", "fastfile": "ruby", "jenkinsfile": "groovy", "justfile": "just", "sconstruct": "python",
    "sconscript": "python", "wscript": "python", "pkgbuild": "bash", ".bashrc": "bash", ".bash_profile": "bash",
    ".profile": "bash", ".zshrc": "bash", ".zshenv": "bash", ".vimrc": "vim", ".babelrc": "json", ".eslintrc": "json",
    ".prettierrc": "json", ".clang-format": "yaml", ".gitconfig": "ini", "rebar.config": "erlang", "go.mod": "gomod",
    "cargo.lock": "toml", "pipfile": "toml", ".luacheckrc": "lua", "requirements.txt": TEXT,
}  # fmt: skip
_BY_INTERPRETER: dict[str, str] = {
    "sh": "bash", "bash": "bash", "zsh": "bash", "ksh": "bash", "dash": "bash", "ash": "bash", "bats": "bash",
    "python": "python", "pypy": "python", "uv": "python", "node": "javascript", "nodejs": "javascript",
    "deno": "typescript", "bun": "typescript", "ts-node": "typescript", "tsx": "typescript", "ruby": "ruby",
    "php": "php", "perl": "perl", "lua": "lua", "luajit": "lua", "elixir": "elixir", "escript": "erlang",
    "runhaskell": "haskell", "runghc": "haskell", "stack": "haskell", "scala": "scala", "kotlin": "kotlin",
    "swift": "swift", "rscript": "r", "julia": "julia", "fish": "fish", "tclsh": "tcl", "awk": "awk", "gawk": "awk",
    "make": "make", "groovy": "groovy", "pwsh": "powershell", "rust-script": "rust", "zig": "zig",
}  # fmt: skip
_SHEBANG = re.compile(r"#!\s*(\S+)((?:\s+\S+)*)")
# `-*- C++ -*-`, `-*- mode: c++; coding: utf-8 -*-`, `vim: set ft=cpp:`
_EMACS = re.compile(
    r"-\*-[ \t]*(?:[^\n]{0,200}?\bmode:[ \t]*)?([\w+#-]+)(?![\w+#-]|[ \t]*:)[^\n]{0,200}-\*-", re.IGNORECASE
)
_VIM = re.compile(r"(?:\bvim?|\bex):[^\n]{0,200}?\b(?:ft|filetype|syntax)=(\w+)")
_MODES = {
    "c++": "cpp", "sh": "bash", "shell-script": "bash", "js": "javascript", "js2": "javascript", "cperl": "perl",
    "makefile": "make", "objective-c": "objc", "objcpp": "objc", "octave": "matlab", "systemverilog": "verilog",
    "emacs-lisp": "lisp", "plaintex": "tex", "latex": "tex", "cs": "csharp", "terraform": "hcl", "typescriptreact": "tsx",
}  # fmt: skip
_MODE_LINES = 5  # of the beginning and of the end may be for editors
MODE_CHARS = 400  # of such a line


def language_of(path: str, text: str = "", neighbors: Neighbors | None = None) -> str:
    """The language's name, from the path and the text or its beginning; "text" for prose, "code" where it is unknown.

    `neighbors`: the endings of the files in the same folder, asked where the text leaves it open.
    """
    name = path.rpartition("/")[2].lower()
    language = _BY_NAME.get(name)
    if language is not None:
        return language
    name, ending = without_template(name)
    shared = shared_language(ending, text, neighbors) if ending else None
    if shared is not None:
        return _by_mode_line(text) or _by_shebang(text) or shared or _unknown(text)
    if language := _BY_ENDING.get(ending):
        return language
    if name.startswith(("dockerfile.", "containerfile.")):
        return "dockerfile"
    if name.startswith("makefile."):
        return "make"
    return _by_first_line(text) or _by_mode_line(text) or _by_pygments(ending) or _unknown(text)


def _unknown(text: str) -> str:
    return TEXT if is_prose(text) else CODE


def _by_first_line(text: str) -> str:
    line = text[:300].partition("\n")[0]
    if line.startswith("#!"):
        return _by_shebang(line)
    if line.startswith("<?php"):
        return "php"
    return "xml" if line.startswith("<?xml") else ""


def _by_shebang(text: str) -> str:
    if not text.startswith("#!"):
        return ""
    shebang = _SHEBANG.match(text[:300].partition("\n")[0])
    if shebang is None:
        return ""
    words = [shebang.group(1).rpartition("/")[2], *shebang.group(2).split()]
    for word in words:
        if word == "env" or word.startswith("-") or "=" in word:
            continue
        base = word.rpartition("/")[2].lower()
        return _BY_INTERPRETER.get(base) or _BY_INTERPRETER.get(base.rstrip("0123456789.")) or ""
    return ""


def _by_mode_line(text: str) -> str:
    """The language that a line for Emacs or Vim names."""
    if "-*-" not in text and "vi" not in text and "ex:" not in text:
        return ""
    lines = [
        *text[:4_000].split("\n", _MODE_LINES)[:_MODE_LINES],
        *text[-4_000:].rsplit("\n", _MODE_LINES)[-_MODE_LINES:],
    ]
    for line in lines:
        mode = _EMACS.search(line[:MODE_CHARS]) or _VIM.search(line[:MODE_CHARS])
        if mode is not None:
            word = mode.group(1).lower()
            word = _MODES.get(word, word)
            if word in LANGUAGES:
                return word
    return ""


def _by_pygments(ending: str) -> str:
    return _pygments_endings().get(ending, "")


@cache
def _pygments_endings() -> dict[str, str]:
    """Ending -> short name of a language, where one language of the table has that ending."""
    from pygments.lexers import get_all_lexers  # type: ignore[import-untyped]

    names: dict[str, set[str]] = {}
    for _, aliases, patterns, _ in get_all_lexers(plugins=False):  # plugins are code of others
        for pattern in patterns:
            if aliases and pattern.startswith("*.") and pattern[2:].isalnum():
                names.setdefault(pattern[2:].lower(), set()).add(aliases[0].lower())
    return {ending: _SHORT.get(min(found), min(found)) for ending, found in names.items() if len(found) == 1}


# LSP language identifiers that differ from the names here (LSP 3.17, TextDocumentItem).
_LSP_NAMES = {"typescriptreact": "tsx", "javascriptreact": "javascript", "shellscript": "bash", "bat": "batch"}

# Other common names of languages.
_SHORT = {
    "c#": "csharp", "docker": "dockerfile", "f#": "fsharp", "golang": "go", "latex": "tex", "objective-c": "objc",
    "plaintext": TEXT, "shell": "bash", "terraform": "hcl", "txt": TEXT,
}  # fmt: skip
# All languages of chunks; a notebook's cells have the language of its kernel.
LANGUAGES = tuple(
    sorted({*_ENDINGS_OF, *told_languages(), *_BY_NAME.values(), *_BY_INTERPRETER.values(), TEXT, CODE} - {"notebook"})
)
_NAMED = {**_BY_ENDING, **_BY_NAME, **_LSP_NAMES, **_SHORT, **{name: name for name in LANGUAGES}}


def known(word: str) -> str | None:
    """As `named`, of the languages here alone."""
    word = word.lower()
    language = _NAMED.get(word) or _BY_INTERPRETER.get(word)
    return language if language in LANGUAGES else None


def named(word: str) -> str | None:
    """The language for a name, alias or file ending; None if there is none."""
    word = word.lower()
    language = _NAMED.get(word) or _BY_ENDING.get(word.removeprefix("."))
    if language is None:
        ending = word.removeprefix(".")
        return ending if ending in _pygments_endings().values() else _pygments_endings().get(ending)
    return language if language in LANGUAGES else None


# What people read as prose; what programs read as settings and data. All else is code.
_DOCS = frozenset({"asciidoc", "markdown", "mdx", "org", "rst", "tex", TEXT})
_CONFIG = frozenset("csv dockerfile gomod hcl ini json toml xml yaml".split())


def content_type(language: str) -> ContentType:
    """Whether files of a language are code, documentation, or configuration and data."""
    if language in _DOCS:
        return "docs"
    return "config" if language in _CONFIG else "code"


# Of languages all of whose endings are shared: text without a path says itself what it is.
_ENDINGS_BY_CONTENT = {"coq": ".v", "idl": ".pro", "matlab": ".m", "mercury": ".m", "qmake": ".pro"}


def endings_of(language: str) -> tuple[str, ...]:
    """The usual file endings of a language, without the dot."""
    return tuple(_ENDINGS_OF.get(language, "").split())


def extension_of(language: str) -> str:
    """The usual file ending of a language, for unsaved text; empty if the language is unknown."""
    endings = _ENDINGS_OF.get(_LSP_NAMES.get(language, language))
    return f".{endings.split()[0]}" if endings else _ENDINGS_BY_CONTENT.get(language, "")
