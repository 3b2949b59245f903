"""A parse tree as cuts: the lines at which another definition or statement begins.

A cut has a label (what the lines that follow belong to) and a depth (how deep in the syntax it lies: shallow ones are
the better places to end a chunk). The walk enters a node only where it is large or may hold definitions, so that most
of a file's nodes never become Python objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from retrieval.chunking.grammars import Grammar
from retrieval.chunking.lines import Lines
from retrieval.chunking.names import Definition, definition
from retrieval.types import ChunkKind

if TYPE_CHECKING:
    from tree_sitter import Node

WHOLE = 1600  # weight up to which a definition stays one chunk: about 50 lines
OPENED = 300  # bytes from which a statement outside functions is searched for definitions
NESTED = 400  # bytes from which a definition inside a function is a chunk of its own
MAX_DEPTH = 60  # of nested nodes; deeper than that is generated code
MAX_CHILDREN = 20_000  # of one node; more are a table of data, which lines cut as well


class Label:
    """What some lines belong to. Compared by identity: two overloads are two labels."""

    __slots__ = ("home", "kind", "scope", "symbol")

    def __init__(self, kind: ChunkKind, symbol: str = "", scope: str = "", home: str | None = None) -> None:
        """`home` is the scope where it stands; `scope` can be longer: a Go method's receiver, `A::b` in C++."""
        self.kind, self.symbol, self.scope = kind, symbol, scope
        self.home = scope if home is None else home

    @property
    def inside(self) -> str:
        """The scope of what lies inside."""
        return ".".join(part for part in (self.scope, self.symbol) if part)


class Cut(NamedTuple):
    line: int
    label: Label
    depth: int


class Outline:
    """Collects the cuts of one parse tree."""

    def __init__(self, lines: Lines, grammar: Grammar) -> None:
        self.lines, self.grammar = lines, grammar
        self.cuts: list[Cut] = []

    def walk(self, root: Node) -> list[Cut]:
        top = Label("block")
        self.cuts.append(Cut(0, top, 0))
        self._children(root, top, top, 0, -1, "top")
        return self.cuts

    def _children(self, node: Node, label: Label, rest: Label, depth: int, taken: int, context: str) -> None:
        """Cuts between the children of `node`.

        Lines up to `taken` are spoken for. Statements get `label`, and `rest` once a definition came between: what
        follows the first member of a class is no longer its outline.
        """
        if depth > MAX_DEPTH or node.child_count > MAX_CHILDREN:
            return
        lines, roles = self.lines, self.grammar.roles
        comment = comment_end = -1
        current = label
        for child in node.children if node.type == "ERROR" else node.named_children:
            start, stop = child.start_byte, child.end_byte
            if stop == start:
                continue
            first, last = lines.at(start), lines.at(stop - 1)
            role = roles.get(child.type)
            begins = first > taken and lines.begins_line(first, start)
            if role == "leading":
                if begins:
                    if comment < 0 or first > comment_end + 1:
                        if comment >= 0:
                            self._cut(comment, current, depth)
                        comment = first
                    comment_end = last
                    taken = max(taken, last)
                continue
            head = first
            if comment >= 0 and begins:
                if first <= comment_end + 1:
                    head = comment
                else:
                    self._cut(comment, current, depth)
            if begins:
                comment = -1
            found = definition(child, self.grammar) if role is not None else None
            if found is not None and not _counts(found, context, stop - start):
                found = None
            if found is None:
                if begins:
                    self._cut(head, current, depth)
                # A body that begins on its header's line ("{") is a container, however small.
                if not begins or stop - start >= OPENED:
                    self._statement(child, current, rest, depth, max(first, taken), context, stop - start)
            else:
                if self._define(child, found, current, head if begins else -1, depth, max(first, taken), last, context):
                    current = rest
            taken = max(taken, last)
        if comment >= 0:
            self._cut(comment, current, depth)

    def _statement(
        self, node: Node, label: Label, rest: Label, depth: int, taken: int, context: str, size: int
    ) -> None:
        if context != "function" or size > WHOLE // 2:
            if context == "function" and node.type in self.grammar.class_values:
                context = "class"  # an anonymous type: its methods are members again
            self._children(node, label, rest, depth + 1, taken, context)

    def _define(
        self, node: Node, found: Definition, label: Label, head: int, depth: int, taken: int, last: int, context: str
    ) -> bool:
        """Cuts for one definition; whether it became a unit of its own."""
        if head < 0:  # in the middle of a line: it stays what it stands in
            self._children(found.inner, label, label, depth + 1, taken, context)
            return False
        if found.role == "scope":
            inside = Label("block", "", _join(_join(label.inside, found.scope), found.name))
            self._cut(head, inside, depth)
            self._children(found.inner, inside, inside, depth + 1, taken, "class" if context == "class" else "top")
            return True
        kind = _kind(found, context)
        new = Label(kind, found.name, _join(label.inside, found.scope), label.inside)
        heavy = self.lines.weight(head, last + 1) > WHOLE
        if not heavy:
            self._cut(head, new, depth)
        elif found.role in ("class", "impl"):
            member = Label("block", "", new.inside)
            self._cut(head, new if found.role == "class" else member, depth)
            self._children(found.inner, new if found.role == "class" else member, member, depth + 1, taken, "class")
        else:
            self._cut(head, new, depth)
            inner = "function" if found.role == "function" else context
            self._children(found.inner, new, new, depth + 1, taken, inner)
        return True

    def _cut(self, line: int, label: Label, depth: int) -> None:
        last = self.cuts[-1]
        if line > last.line:
            self.cuts.append(Cut(line, label, depth))
        elif line == last.line and label is not last.label:
            self.cuts[-1] = Cut(line, label, min(depth, last.depth))


def _counts(found: Definition, context: str, size: int) -> bool:
    """Whether a definition is a unit where it stands."""
    if context == "function":
        return found.role != "variable" and size >= NESTED
    return context != "class" or found.role != "variable"


def _kind(found: Definition, context: str) -> ChunkKind:
    if found.role == "variable":
        return "block"
    if found.role == "function":
        return "method" if context == "class" or found.scope else "function"
    return "class"


def _join(*parts: str) -> str:
    return ".".join(part for part in parts if part)
