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


def _python(text: str) -> Iterator[Import]:
    text = re.sub(r"#[^\n]*|[()\\]", " ", text)
    if match := re.match(r"\s*from\s+(\.*)\s*([\w.]*)\s+import\s+(.*)", text, re.DOTALL):
        dots, name, names = match.groups()
        module = _up(len(dots)) + name.replace(".", "/")
        for original, alias in _aliased(names):
            yield Import(alias, module, "" if original == "*" else original)
        return
    for original, alias in _aliased(re.sub(r"^\s*import\s", "", text)):
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


_FROM = re.compile(r"""(?:from|import|require\s*\()\s*['"]([^'"\n]+)['"]""")


def _javascript(text: str) -> Iterator[Import]:
    source = _FROM.search(text)
    if source is None:
        return
    module = source[1]
    head = text[: source.start()]
    head = re.sub(r"^\s*(?:import|export|const|let|var)\b(?:\s+type\b(?!\s*,))?", "", head).strip().rstrip("=").strip()
    if braces := re.search(r"\{(.*?)\}", head, re.DOTALL):
        for original, alias in _aliased(re.sub(r"\btype\s+|//[^\n]*", "", braces[1]).replace(":", " as ")):
            yield Import(alias, module, original)
        head = head[: braces.start()] + head[braces.end() :]
    for part in head.split(","):
        words = part.split()
        if words[:2] == ["*", "as"] and len(words) == 3:
            yield Import(words[2], module)
        elif words == ["*"]:
            yield Import("*", module)
        elif len(words) == 1 and re.fullmatch(r"[\w$]+", words[0]):
            yield Import(words[0], module, "default")


def _go(text: str) -> Iterator[Import]:
    if match := re.match(r"\s*([\w.]+)?\s*[\"`]([^\"`]+)[\"`]", text):
        module = match[2]
        last = re.sub(r"/v\d+$", "", module).rpartition("/")[2]
        name = match[1] or last
        yield Import("*" if name == "." else name, module)


def _rust(text: str) -> Iterator[Import]:
    text = re.sub(r"^\s*(?:pub\s*(?:\([^)]*\))?\s*)?use\s+|;\s*$|//[^\n]*", "", text)
    yield from _rust_tree(re.sub(r"\s+", " ", text).strip(), "", 8)


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


def _dotted(text: str) -> Iterator[Import]:
    """Java, Kotlin, Scala, C#, PHP, Swift: `import a.b.C`, `using static A.B`, `use A\\B as C`, `import a.b.{C, D => E}`."""
    text = re.sub(r"^\s*(?:import|using|use)\s+(?:static\s+|function\s+|const\s+)?|;\s*$", "", text).strip()
    if match := re.match(r"(\w+)\s*=\s*([\w.]+)$", text):  # C#: using C = A.B
        text = f"{match[2]} as {match[1]}"
    head, brace, names = text.partition("{")
    parts = names.rstrip(" }").split(",") if brace else [text]
    prefix = head if brace else ""
    for part in parts:
        path, *alias = re.split(r"\s+as\s+|\s*=>\s*", (prefix + part.strip()).strip())
        words = [word for word in re.split(r"[.\\]", path.strip()) if word]
        if words and all(re.fullmatch(r"[\w*$]+", word) for word in words):
            module, last = "/".join(words[:-1]), words[-1]
            if last in ("*", "_"):
                yield Import("*", module)
            else:
                yield Import(alias[0].strip() if alias else last, module or last, last if module else "")


def _csharp(text: str) -> Iterator[Import]:
    """A using names a namespace, whose types it brings."""
    for one in _dotted(re.sub(r"^\s*global\s+", "", text)):
        if "=" in text or "static" in text:
            yield one
        else:
            yield Import("*", "/".join(part for part in (one.module, one.original) if part))


def _swift(text: str) -> Iterator[Import]:
    if match := re.search(r"([\w.]+)\s*$", text):
        yield Import("*", match[1].replace(".", "/"))


def _include(text: str) -> Iterator[Import]:
    if match := re.search(r"[\"<]([^\">\n]+)[\">]", text):
        yield Import("*", match[1])


def _lua(text: str) -> Iterator[Import]:
    if match := re.match(r"\s*local\s+(\w+)\s*=\s*require\s*\(?\s*['\"]([\w./-]+)['\"]", text):
        yield Import(match[1], match[2].replace(".", "/"))


def _whole(text: str) -> Iterator[Import]:
    """Dart, Solidity: a file in quotes."""
    if match := re.search(r"['\"]([^'\"\n]+)['\"]", text):
        alias = re.search(r"\bas\s+(\w+)", text)
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
