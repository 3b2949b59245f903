"""Detects a file's language by its name, its ending, then its first line."""

from __future__ import annotations

import re

from retrieval.types import ContentType

TEXT = "text"

_ENDINGS_OF: dict[str, str] = {
    "ada": "adb ads",
    "assembly": "asm s",
    "astro": "astro",
    "bash": "sh bash zsh ksh bats ebuild",
    "batch": "bat cmd",
    "c": "c h",
    "clojure": "clj cljs cljc edn",
    "cmake": "cmake",
    "cpp": "cpp cc cxx c++ hpp hh hxx h++ ipp tpp inl cu cuh ino",
    "crystal": "cr",
    "csharp": "cs csx",
    "css": "css",
    "csv": "csv tsv",
    "cython": "pyx pxd pxi",
    "d": "d",
    "dart": "dart",
    "diff": "diff patch",
    "elixir": "ex exs",
    "elm": "elm",
    "erlang": "erl hrl",
    "fish": "fish",
    "fortran": "f f90 f95 f03 f08 for",
    "fsharp": "fs fsi fsx",
    "gleam": "gleam",
    "glsl": "glsl vert frag comp hlsl wgsl metal",
    "go": "go",
    "graphql": "graphql gql",
    "groovy": "groovy gradle",
    "haskell": "hs lhs",
    "hcl": "tf hcl tfvars",
    "html": "html htm xhtml",
    "ini": "ini cfg conf properties editorconfig",
    "java": "java",
    "javascript": "js mjs cjs jsx",
    "json": "json jsonc json5 jsonl ndjson geojson webmanifest",
    "julia": "jl",
    "just": "just",
    "kotlin": "kt kts",
    "less": "less",
    "lisp": "lisp lsp cl el scm rkt",
    "lua": "lua",
    "markdown": "md markdown mdx mkd",
    "nim": "nim nims",
    "nix": "nix",
    "notebook": "ipynb",
    "objc": "m mm",
    "ocaml": "ml mli",
    "pascal": "pas pp dpr",
    "perl": "pl pm t",
    "php": "php phtml php8",
    "powershell": "ps1 psm1 psd1",
    "prolog": "pro",
    "proto": "proto",
    "puppet": "epp",
    "python": "py pyi pyw",
    "r": "r rmd",
    "rst": "rst",
    "ruby": "rb rake gemspec ru podspec",
    "rust": "rs",
    "scala": "scala sc sbt",
    "scss": "scss sass",
    "solidity": "sol",
    "sql": "sql psql mysql plsql ddl",
    "starlark": "bzl star bazel",
    "svelte": "svelte",
    "swift": "swift",
    "tcl": "tcl",
    "tex": "tex sty cls bib",
    "thrift": "thrift",
    "toml": "toml",
    "tsx": "tsx",
    "typescript": "ts mts cts",
    "v": "v",
    "vb": "vb bas",
    "verilog": "sv svh vh",
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
_MODE_LINE = re.compile(r"-\*-\s*(?:mode:\s*)?([\w+#-]+)\s*;?.*-\*-", re.IGNORECASE)
_MODES = {"c++": "cpp", "sh": "bash", "shell-script": "bash", "js": "javascript", "cperl": "perl", "makefile": "make"}


def language_of(path: str, first_line: str = "") -> str:
    """The language's name, "text" if it is unknown."""
    name = path.rpartition("/")[2].lower()
    language = _BY_NAME.get(name)
    if language is not None:
        return language
    stem, dot, ending = name.rpartition(".")
    if dot and stem and (language := _BY_ENDING.get(ending)) is not None:
        if ending == "h" and "c++" in first_line.lower():
            return "cpp"
        return language
    if name.startswith(("dockerfile.", "containerfile.")):
        return "dockerfile"
    if name.startswith("makefile."):
        return "make"
    return _by_first_line(first_line[:200])


def _by_first_line(line: str) -> str:
    shebang = _SHEBANG.match(line)
    if shebang is not None:
        words = [shebang.group(1).rpartition("/")[2], *shebang.group(2).split()]
        for word in words:
            if word == "env" or word.startswith("-") or "=" in word:
                continue
            base = word.rpartition("/")[2].lower()
            return _BY_INTERPRETER.get(base) or _BY_INTERPRETER.get(base.rstrip("0123456789.")) or TEXT
        return TEXT
    if line.startswith("<?php"):
        return "php"
    if line.startswith("<?xml"):
        return "xml"
    mode = _MODE_LINE.search(line)
    if mode is not None:
        word = mode.group(1).lower()
        word = _MODES.get(word, word)
        return word if word in _ENDINGS_OF else TEXT
    return TEXT


# LSP language identifiers that differ from the names here (LSP 3.17, TextDocumentItem).
_LSP_NAMES = {"typescriptreact": "tsx", "javascriptreact": "javascript", "shellscript": "bash", "bat": "batch"}

# Other common names of languages.
_SHORT = {
    "c#": "csharp", "docker": "dockerfile", "f#": "fsharp", "golang": "go", "latex": "tex", "objective-c": "objc",
    "plaintext": TEXT, "shell": "bash", "terraform": "hcl", "txt": TEXT,
}  # fmt: skip
# All languages of chunks; a notebook's cells have the language of its kernel.
LANGUAGES = tuple(sorted({*_BY_ENDING.values(), *_BY_NAME.values(), *_BY_INTERPRETER.values(), TEXT} - {"notebook"}))
_NAMED = {**_BY_ENDING, **_BY_NAME, **_LSP_NAMES, **_SHORT, **{name: name for name in LANGUAGES}}


def named(word: str) -> str | None:
    """The language for a name, alias or file ending; None if there is none."""
    word = word.lower()
    language = _NAMED.get(word) or _BY_ENDING.get(word.removeprefix("."))
    return language if language in LANGUAGES else None


# What people read as prose; what programs read as settings and data. All else is code.
_DOCS = frozenset({"markdown", "rst", "tex", TEXT})
_CONFIG = frozenset("csv dockerfile gomod hcl ini json toml xml yaml".split())


def content_type(language: str) -> ContentType:
    """Whether files of a language are code, documentation, or configuration and data."""
    if language in _DOCS:
        return "docs"
    return "config" if language in _CONFIG else "code"


def extension_of(language: str) -> str:
    """The usual file ending of a language, for unsaved text; empty if the language is unknown."""
    endings = _ENDINGS_OF.get(_LSP_NAMES.get(language, language))
    return f".{endings.split()[0]}" if endings else ""
