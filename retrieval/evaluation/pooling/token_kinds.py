"""What a character of a passage is: a name, a keyword, part of a comment, of the path above the code, …

Told from the parse tree of the whole file, so that a chunk that begins in the middle of a class is understood. Only what the
tokenizer reads counts: punctuation has no tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from retrieval.chunking import chunk_file, passage
from retrieval.chunking.grammars import GRAMMARS
from retrieval.chunking.line_index import LineIndex
from retrieval.chunking.parsing import ParseTimeout, parse
from retrieval.types import Chunk

if TYPE_CHECKING:
    from tree_sitter import Node

KINDS = ("path", "symbol", "name", "keyword", "comment", "string", "number", "other")
_PATH, _SYMBOL, _NAME, _KEYWORD, _COMMENT, _STRING, _NUMBER, _OTHER = range(len(KINDS))
_NUMBERS = ("number", "integer", "float", "int_literal")
_WHOLE = {"comment": _COMMENT, "string": _STRING, "char": _STRING}  # parts of a node's type; not taken apart


def marked_chunks(path: str, text: str) -> Iterator[tuple[Chunk, list[int]]]:
    """The chunks of one file of code, each with the kind of every character of its passage (places in KINDS)."""
    chunks = chunk_file(path, text)
    grammar = GRAMMARS.get(chunks[0].language) if chunks else None
    if grammar is None or grammar.data:
        return
    data = LineIndex(text).data
    try:
        root = parse(chunks[0].language, data)
    except ParseTimeout:
        return
    if root is None:
        return
    marks = bytearray([_OTHER]) * len(data)
    _mark(root, data, marks)
    for chunk in chunks:
        yield chunk, [*_header(chunk), *_by_character(chunk, marks)]


def _mark(root: Node, data: bytes, marks: bytearray) -> None:
    """Without recursion: generated code is nested deeper than Python's stack."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        kind = _kind(node, data)
        if kind is None:
            waiting += node.children
        else:
            start, end = node.start_byte, min(node.end_byte, len(marks))
            marks[start:end] = bytes([kind]) * (end - start)


def _kind(node: Node, data: bytes) -> int | None:
    """None where its children tell."""
    if node.is_named:
        for part, kind in _WHOLE.items():
            if part in node.type and "identifier" not in node.type:
                return _COMMENT if kind == _STRING and _is_docstring(node) else kind
    if node.child_count:
        return None
    if any(part in node.type for part in _NUMBERS):
        return _NUMBER
    word = data[node.start_byte : node.end_byte]
    if not node.is_named:
        return _KEYWORD if word.isalpha() else _OTHER
    return _NAME if any(byte > 64 for byte in word) else _OTHER


def _is_docstring(node: Node) -> bool:
    return node.parent is not None and node.parent.type == "expression_statement" and node.parent.child_count == 1


def _header(chunk: Chunk) -> list[int]:
    length = len(passage(chunk)) - len(chunk.text)
    return [_PATH if place <= len(chunk.path) else _SYMBOL for place in range(length)]


def _by_character(chunk: Chunk, marks: bytearray) -> Iterator[int]:
    place = chunk.start_byte
    for char in chunk.text:
        yield marks[place] if place < len(marks) else _OTHER
        place += len(char.encode("utf-8", "replace"))
