"""What an import statement binds: each name in the file, the module that it comes from, and its name there.

An import is read as text, by the rules of its language: it is short, and a few forms cover what matters. A module is written with
`/` between its parts; one that is relative to the file begins with `./` or `../`. The name "*" stands for all names of a module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

MAX_IMPORT_BYTES = 4_000
MAX_NAMES = 300  # of one statement
_BREAKS = re.compile(r"[\t\r\n]")


class Import(NamedTuple):
    """`name` in this file is `original` of `module`, or the module itself where `original` is empty."""

    name: str
    module: str
    original: str = ""


def imports_of(language: str, text: str) -> list[Import]:
    """The names that a statement binds; none where its form is not known."""
    reader = _READERS.get(language)
    if reader is None:
        return []
    found: list[Import] = []
    for one in reader(text[:MAX_IMPORT_BYTES]):
        if one.name and one.module and not _BREAKS.search("".join(one)) and len(found) < MAX_NAMES:
            found.append(one)
    return found


_HASH_COMMENT = re.compile(r"#[^\n]*|[()\\]")
_COMMENT = re.compile(r"//[^\n]*")


def _flat(text: str) -> str:
    """One line, with single blanks."""
    return " ".join(text.split())


_PYTHON_FROM = re.compile(r"from ([\w.]+) import (.*)")


def _python(text: str) -> Iterator[Import]:
    text = _flat(_HASH_COMMENT.sub(" ", text))
    if match := _PYTHON_FROM.match(text):
        name = match[1].lstrip(".")
        module = _up(len(match[1]) - len(name)) + name.replace(".", "/")
        for original, alias in _aliased(match[2]):
            yield Import(alias, module, "" if original == "*" else original)
        return
    for original, alias in _aliased(text.removeprefix("import ")):
        yield Import(alias, original.replace(".", "/"))


def _up(dots: int) -> str:
    return "./" + "../" * (dots - 1) if dots else ""


def _aliased(names: str) -> Iterator[tuple[str, str]]:
    """`a as b, c` -> (a, b), (c, c)."""
    for part in names.split(","):
        words = part.split()
        if len(words) == 3 and words[1] == "as":
            yield words[0], words[2]
        elif len(words) == 1:
            yield words[0], words[0]


_FROM = re.compile(r"""(?:from|import|require\s?\()\s?['"]([^'"\n]+)['"]""")
_JAVASCRIPT_HEAD = re.compile(r"(?:import|export|const|let|var)\b(?: type\b(?! ?,))?")
_JAVASCRIPT_NAME = re.compile(r"[\w$]+")
_TYPE_OR_COMMENT = re.compile(r"\btype\s|//[^\n]*")


def _javascript(text: str) -> Iterator[Import]:
    source = _FROM.search(text)
    if source is None:
        return
    module, head = source[1], text[: source.start()]
    before, brace, rest = head.partition("{")
    if brace:
        names, _, behind = rest.partition("}")
        for original, alias in _aliased(_TYPE_OR_COMMENT.sub("", names).replace(":", " as ")):
            yield Import(alias, module, original)
        head = f"{before} {behind}"
    for part in _JAVASCRIPT_HEAD.sub("", _flat(head), count=1).rstrip(" =").split(","):
        words = part.split()
        if words[:2] == ["*", "as"] and len(words) == 3:
            yield Import(words[2], module)
        elif words == ["*"]:
            yield Import("*", module)
        elif len(words) == 1 and _JAVASCRIPT_NAME.fullmatch(words[0]):
            yield Import(words[0], module, "default")


_GO = re.compile(r"([\w.]+)? ?[\"`]([^\"`]+)[\"`]")
_GO_VERSION = re.compile(r"/v\d+$")


def _go(text: str) -> Iterator[Import]:
    if match := _GO.match(_flat(text)):
        module = match[2]
        last = _GO_VERSION.sub("", module).rpartition("/")[2]
        name = match[1] or last
        yield Import("*" if name == "." else name, module)


_RUST_USE = re.compile(r"(?:pub ?(?:\([^)]*\))? ?)?use ")


def _rust(text: str) -> Iterator[Import]:
    text = _flat(_COMMENT.sub("", text))
    head = _RUST_USE.match(text)
    yield from _rust_tree(text[head.end() if head else 0 :].rstrip(" ;"), "", 8)


def _rust_tree(text: str, prefix: str, levels: int) -> Iterator[Import]:
    """`a::{b, c::{d as e}}`, one name after the other."""
    head, brace, rest = text.partition("{")
    if brace and levels:
        inner = rest.rpartition("}")[0]
        for part in _outer_commas(inner):
            yield from _rust_tree(part.strip(), prefix + head.strip(), levels - 1)
        return
    path, _, alias = (prefix + text).partition(" as ")
    *outer, last = [part.strip() for part in path.split("::")]
    outer = [part for part in outer if part not in ("crate", "self", "super", "")]
    module = "/".join(outer)
    if last == "*":
        yield Import("*", module or "./")
    elif last == "self" and outer:
        yield Import(alias.strip() or outer[-1], module)
    elif last:
        yield Import(alias.strip() or last, module or last, last if module else "")


def _outer_commas(text: str) -> Iterator[str]:
    depth = start = 0
    for at, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if character == "," and not depth:
            yield text[start:at]
            start = at + 1
    yield text[start:]


_DOTTED_HEAD = re.compile(r"(?:import|using|use) (?:static |function |const )?")
_DOTTED_ALIAS = re.compile(r"(\w+) ?= ?([\w.]+)$")
_AS = re.compile(r" as | ?=> ?")
_DOTS = re.compile(r"[.\\]")
_DOTTED_NAME = re.compile(r"[\w*$]+")


def _dotted(text: str) -> Iterator[Import]:
    """Java, Kotlin, Scala, C#, PHP, Swift: `import a.b.C`, `using static A.B`, `use A\\B as C`, `import a.b.{C, D => E}`."""
    text = _flat(text)
    head = _DOTTED_HEAD.match(text)
    text = text[head.end() if head else 0 :].rstrip(" ;")
    if match := _DOTTED_ALIAS.match(text):  # C#: using C = A.B
        text = f"{match[2]} as {match[1]}"
    before, brace, names = text.partition("{")
    parts = names.rstrip(" }").split(",") if brace else [text]
    prefix = before if brace else ""
    for part in parts[:MAX_NAMES]:
        path, *alias = _AS.split((prefix + part.strip()).strip())
        words = [word for word in _DOTS.split(path.strip()) if word]
        if words and all(map(_DOTTED_NAME.fullmatch, words)):
            module, last = "/".join(words[:-1]), words[-1]
            if last in ("*", "_"):
                yield Import("*", module)
            else:
                yield Import(alias[0].strip() if alias else last, module or last, last if module else "")


def _csharp(text: str) -> Iterator[Import]:
    """A using names a namespace, whose types it brings."""
    for one in _dotted(_flat(text).removeprefix("global ")):
        if "=" in text or "static" in text:
            yield one
        else:
            yield Import("*", "/".join(part for part in (one.module, one.original) if part))


def _swift(text: str) -> Iterator[Import]:
    if words := text.split():
        yield Import("*", words[-1].replace(".", "/"))


_INCLUDED = re.compile(r"[\"<]([^\"<>\n]+)[\">]")


def _include(text: str) -> Iterator[Import]:
    if match := _INCLUDED.search(text):
        yield Import("*", match[1])


_LUA = re.compile(r"local (\w+) ?= ?require ?\(? ?['\"]([\w./-]+)['\"]")


def _lua(text: str) -> Iterator[Import]:
    text = _flat(text)
    if match := _LUA.match(text if text.startswith("local ") else f"local {text}"):
        yield Import(match[1], match[2].replace(".", "/"))


_QUOTED = re.compile(r"['\"]([^'\"\n]+)['\"]")
_ALIAS = re.compile(r"\bas (\w+)")


def _whole(text: str) -> Iterator[Import]:
    """Dart, Solidity: a file in quotes."""
    if match := _QUOTED.search(text):
        alias = _ALIAS.search(_flat(text))
        yield Import(alias[1] if alias else "*", match[1])


_READERS: dict[str, Callable[[str], Iterator[Import]]] = {
    **dict.fromkeys(("java", "apex", "kotlin", "scala", "php", "php_code"), _dotted),
    **dict.fromkeys(("javascript", "typescript", "tsx"), _javascript),
    **dict.fromkeys(("c", "cpp", "objc", "opencl"), _include),
    **dict.fromkeys(("dart", "solidity"), _whole),
    "csharp": _csharp,
    "go": _go,
    "lua": _lua,
    "python": _python,
    "rust": _rust,
    "swift": _swift,
}
