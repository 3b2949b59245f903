"""Which language a file with a shared ending is in where its content does not tell: that of the files beside it.

A header that declares two functions reads the same in C, C++ and Objective-C; it is in the language of its folder's sources.
Files beside it count only where those of a single one of its languages are there. This module costs little to import.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

# Asked only where the content leaves the language open: the endings of the files in the same folder.
Neighbors = Callable[[], Collection[str]]

# Ending -> languages that may have it, each with endings of files that are found beside its own.
_BESIDE: dict[str, dict[str, str]] = {
    "bb": {"bitbake": "bbappend bbclass", "blitzbasic": "bmx"},
    "cl": {"lisp": "lisp lsp asd", "opencl": "c cc cpp cxx hpp"},
    "cls": {"tex": "tex sty bib dtx", "vb": "bas frm vbp", "apex": "trigger"},
    "fs": {"fsharp": "fsproj fsx fsi", "glsl": "vs glsl frag vert", "forth": "fth 4th"},
    "h": {"c": "c", "cpp": "cc cpp cxx c++ hh hpp hxx h++ ipp tpp inl ixx cppm", "objc": "m mm"},
    "inc": {
        "assembly": "asm nasm s", "bitbake": "bb bbclass bbappend", "c": "c", "cpp": "cc cpp cxx hpp hxx",
        "pascal": "pas dpr lpr dpk", "php": "php phtml",
    },
    "l": {"lex": "y yy", "lisp": "lisp lsp"},
    "m": {"mathematica": "wl wls", "objc": "mm pch xib storyboard"},
    "ml": {"ocaml": "mli mll mly", "sml": "sml sig"},
    "p": {"gnuplot": "gp gnuplot", "openedge": "w cls i", "pascal": "pas"},
    "pl": {"perl": "pm pod xs", "prolog": "plt yap"},
    "pp": {"pascal": "pas lpr dpr", "puppet": "epp"},
    "pro": {"prolog": "plt yap", "qmake": "ui qrc qml pri cpp"},
    "sc": {"scala": "scala sbt", "supercollider": "scd"},
    "t": {"perl": "pm pl", "raku": "raku rakumod pm6"},
    "v": {"v": "vv vsh", "verilog": "sv svh vh vhd xdc sdc"},
}  # fmt: skip
_TELLING = {
    ending: {beside: language for language, endings in languages.items() for beside in endings.split()}
    for ending, languages in _BESIDE.items()
}
# Endings of files that can tell the language of others.
TELLING_ENDINGS = frozenset(ending for telling in _TELLING.values() for ending in telling)
# Endings that say how a file is used, not what is in it: the one before them does.
_TEMPLATES = frozenset(
    {"in", "example", "sample", "dist", "template", "tmpl", "tpl", "j2", "jinja", "jinja2", "default", "orig", "bak"}
)


def is_told_by_neighbors(path: str) -> bool:
    """Whether the files beside the one at `path` can decide its language."""
    return telling_ending(path) in _TELLING


def by_neighbors(ending: str, neighbors: Collection[str]) -> str:
    """The one language that the files with these endings belong to; empty where there is none, or several."""
    telling = _TELLING.get(ending, {})
    languages = {telling[beside] for beside in neighbors if beside in telling}
    return languages.pop() if len(languages) == 1 else ""


def telling_ending(path: str) -> str:
    """The ending that tells a file's language, in lower case: "h" for `config.h.in`."""
    return without_template(path.rpartition("/")[2].lower())[1]


def without_template(name: str) -> tuple[str, str]:
    """A name, and its ending, without those that say how a file is used."""
    ending = _ending(name)
    while ending in _TEMPLATES and (inner := _ending(name[: -len(ending) - 1])):
        name, ending = name[: -len(ending) - 1], inner
    return name, ending


def _ending(name: str) -> str:
    stem, _, ending = name.rpartition(".")
    return ending if stem else ""
