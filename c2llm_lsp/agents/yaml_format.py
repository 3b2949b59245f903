"""YAML files of assistants: an entry below one of the keys at the left margin, put in and taken out as lines of text by their
place in the syntax tree. Values are written as JSON, which YAML contains.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from c2llm_lsp.agents.errors import ConfigError
from c2llm_lsp.agents.places import EntryPath

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_INDENT = 200
MAX_MARKS = 50  # of nested lists and keys in a line
_MARK = re.compile(r"[-?:](?!\S)")
_EMPTY = ("", "null", "~", "[]", "{}")


def get(text: str, path: EntryPath) -> object | None:
    node = _entry(_pairs(text), path)
    return None if node is None else _data(_value(node))


def put(text: str, path: EntryPath, data: object) -> str:
    text = drop(text, path)
    top = _pairs(text).get(path.keys[0])
    if top is None:
        gap = "" if not text or text.endswith("\n") else "\n"
        after = f"{text}{gap}{path.keys[0]}:\n{_lines(path, data, '  ')}\n"
        return _checked(after, path, data)
    start, end, indent = _gap(text.encode("utf-8", "surrogatepass"), top, path)
    source = text.encode("utf-8", "surrogatepass")
    before, rest = source[:start].decode("utf-8", "surrogatepass"), source[end:].decode("utf-8", "surrogatepass")
    return _checked(f"{before}\n{_lines(path, data, indent)}{rest}", path, data)


def _gap(source: bytes, top: Node, path: EntryPath) -> tuple[int, int, str]:
    """What to replace by the lines of a new entry, and their indentation."""
    value = _value(top)
    if value is None:
        end = source.find(b"\n", top.start_byte)
        end = len(source) if end < 0 else end
        return end, end, "  "
    if _text(value) in _EMPTY:
        return len(source[: value.start_byte].rstrip(b" ")), value.end_byte, "  "
    rows = [node for node in _block(value, path).named_children if node.type != "comment"]
    end = source.find(b"\n", len(source[: _content_end(rows[-1])].rstrip()))
    end = len(source) if end < 0 else end
    return end, end, " " * rows[0].start_point[1]


def drop(text: str, path: EntryPath) -> str:
    node = _entry(_pairs(text), path)
    if node is None:
        return text
    source = text.encode("utf-8", "surrogatepass")
    start = source.rfind(b"\n", 0, node.start_byte) + 1
    end = source.find(b"\n", len(source[: _content_end(node)].rstrip())) + 1 or len(source)
    if source[start : node.start_byte].strip():
        raise ConfigError(f"{'.'.join(path.keys)} is written in a form that is not edited")
    after = (source[:start] + source[end:]).decode("utf-8", "surrogatepass")
    return _checked(after, path, None)


def _pairs(text: str) -> dict[str, Node]:
    """The pairs at the left margin by their keys. Raises ConfigError."""
    import tree_sitter_yaml
    from tree_sitter import Language, Parser

    for line in text.splitlines():  # deeper nesting, as of 3,000 dashes in a line, ends the process
        if len(line) - len(line.lstrip()) > MAX_INDENT or len(_MARK.findall(line)) > MAX_MARKS:
            raise ConfigError("it is nested deeper than is edited")
    root = Parser(Language(tree_sitter_yaml.language())).parse(text.encode("utf-8", "surrogatepass")).root_node
    if root.has_error:
        raise ConfigError("it is not valid YAML")
    documents = [node for node in root.named_children if node.type == "document"]
    if len(documents) > 1:
        raise ConfigError("it has several YAML documents, which is not edited")
    blocks = [node for document in documents for node in document.named_children if node.type != "comment"]
    if not blocks:
        return {}
    mapping = blocks[-1].named_children[-1] if blocks[-1].named_children else blocks[-1]
    if mapping.type != "block_mapping":
        raise ConfigError("its content is not a YAML mapping in lines, which is not edited")
    return {_text(pair.named_children[0]).strip("\"'"): pair for pair in mapping.named_children if pair.named_children}


def _entry(pairs: dict[str, Node], path: EntryPath) -> Node | None:
    top = pairs.get(path.keys[0])
    value = _value(top) if top is not None else None
    if value is None or _text(value) in _EMPTY:
        return None
    for node in _block(value, path).named_children:
        if node.type == "comment":
            continue
        if path.marker:
            if path.is_entry(_data(node.named_children[0])):
                return node
        elif _text(node.named_children[0]).strip("\"'") == path.keys[-1]:
            return node
    return None


def _block(value: Node, path: EntryPath) -> Node:
    """The mapping or sequence in lines that a value is."""
    wanted = "block_sequence" if path.marker else "block_mapping"
    block = value.named_children[-1] if value.type == "block_node" and value.named_children else value
    if block.type != wanted:
        kind = "list" if path.marker else "mapping"
        raise ConfigError(f"{path.keys[0]} is not a {kind} in lines, which is not edited")
    return block


def _value(pair: Node) -> Node | None:
    """The value of a pair, the element of an item."""
    nodes = [node for node in pair.named_children if node.type != "comment"]
    if pair.type == "block_sequence_item":
        return nodes[0] if nodes else None
    return nodes[1] if len(nodes) > 1 else None


def _data(node: Node | None) -> object:
    """A value that was written as below; of others their text."""
    if node is None:
        return None
    block = node.named_children[-1] if node.type == "block_node" and node.named_children else node
    if block.type == "block_mapping":
        pairs = [pair for pair in block.named_children if pair.type == "block_mapping_pair"]
        return {_text(pair.named_children[0]).strip("\"'"): _data(_value(pair)) for pair in pairs}
    try:
        return json.loads(_text(block))
    except (ValueError, RecursionError):
        return _text(block)


def _content_end(node: Node) -> int:
    """Where the last thing in a node ends that is no comment."""
    rows = [child for child in node.named_children if child.type != "comment"]
    return _content_end(rows[-1]) if rows else node.end_byte


def _lines(path: EntryPath, data: object, indent: str) -> str:
    rows = (
        [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in data.items()]
        if isinstance(data, dict)
        else [json.dumps(data, ensure_ascii=False)]
    )
    if path.marker:
        return "\n".join(f"{indent}{'  ' if number else '- '}{row}" for number, row in enumerate(rows))
    return "\n".join((f"{indent}{path.keys[-1]}:", *(f"{indent}  {row}" for row in rows)))


def _checked(after: str, path: EntryPath, data: object | None) -> str:
    if get(after, path) != data:
        raise ConfigError(f"{'.'.join(path.keys)} is written in a form that is not edited")
    return after


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")
