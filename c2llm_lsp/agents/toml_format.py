"""TOML files. A table is put at the end, where every table may stand, and taken out by its place in the syntax tree; what
comes out is read again with the standard library and must differ in the entry only.
"""

from __future__ import annotations

import json

from c2llm_lsp.agents.errors import ConfigError
from c2llm_lsp.agents.places import EntryPath
from retrieval.bounded_files import parse_toml


def get(text: str, path: EntryPath) -> object | None:
    value: object = _read(text)
    for key in path.keys:
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    return value


def put(text: str, path: EntryPath, data: object) -> str:
    assert isinstance(data, dict)
    text = drop(text, path)
    gap = "" if not text.strip() else "\n" if text.endswith("\n") else "\n\n"
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in data.items()]
    after = "\n".join((f"{text}{gap}[{'.'.join(path.keys)}]", *lines, ""))
    _check(after, path, _without(_read(text), path.keys), data)
    return after


def drop(text: str, path: EntryPath) -> str:
    if get(text, path) is None:
        return text
    source = text.encode("utf-8", "surrogatepass")
    kept, position = [], 0
    for start, end in _tables(source, path.keys):
        kept.append(source[position:start])
        position = end
    after = b"".join((*kept, source[position:])).decode("utf-8", "surrogatepass")
    _check(after, path, _without(_read(text), path.keys), None)
    return after


def _tables(source: bytes, keys: tuple[str, ...]) -> list[tuple[int, int]]:
    """The places of the table with these keys and of those below it, each with the blank lines before it."""
    import tree_sitter_toml
    from tree_sitter import Language, Parser

    root = Parser(Language(tree_sitter_toml.language())).parse(source).root_node
    places = []
    for node in root.children:
        header = node.children[1].text if node.type == "table" and len(node.children) > 1 else None
        names = tuple(name.strip().strip("\"'") for name in (header or b"").decode().split("."))
        if header is None or names[: len(keys)] != keys:
            continue
        rows = [child for child in node.children if child.type != "comment"]
        end = source.find(b"\n", rows[-1].end_byte) + 1 or len(source)
        start = len(source[: node.start_byte].rstrip(b"\r\n"))
        start = source.find(b"\n", start) + 1 if start else 0
        places.append((start, end))
    return places


def _without(value: object, keys: tuple[str, ...]) -> object:
    """The data without an entry, and without the tables above it that held nothing else."""
    if not isinstance(value, dict) or keys[0] not in value:
        return value
    below = _without(value[keys[0]], keys[1:]) if len(keys) > 1 else None
    rest = {key: data for key, data in value.items() if key != keys[0]}
    return {**value, keys[0]: below} if below else rest


def _check(after: str, path: EntryPath, rest: object, entry: object) -> None:
    if get(after, path) != entry or _without(_read(after), path.keys) != rest:
        raise ConfigError(f"{'.'.join(path.keys)} is written in a form that is not edited")


def _read(text: str) -> dict[str, object]:
    try:
        return parse_toml(text.removeprefix("\ufeff"))
    except ValueError as error:
        raise ConfigError(f"it is not valid TOML: {error}") from None
