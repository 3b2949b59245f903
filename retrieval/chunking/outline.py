"""A parse tree as cuts: the lines at which another definition or statement begins.

A cut has a label (what the lines that follow belong to) and a depth (how deep in the syntax it lies: shallow ones are
the better places to end a chunk). The walk enters a node only where it is large or may hold definitions, so that most
of a file's nodes never become Python objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from retrieval.chunking.grammars import Grammar
from retrieval.chunking.line_index import Lines
from retrieval.chunking.symbols import Definition, definition
from retrieval.types import ChunkKind

if TYPE_CHECKING:
    from tree_sitter import Node

WHOLE = 1600  # weight up to which a definition stays one chunk: about 50 lines
OPENED = 300  # bytes from which a statement outside functions is searched for definitions
OPENED_IN_FUNCTIONS = 800  # inside them only what is long can hold a definition that counts
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


class _Siblings:
    """Where a walk over the children of one node stands."""

    __slots__ = ("comment", "comment_end", "context", "depth", "label", "rest", "taken")

    def __init__(self, label: Label, rest: Label, depth: int, taken: int, context: str) -> None:
        self.label = label  # of statements
        self.rest = rest  # of statements behind the first definition: they are no longer part of a class's outline
        self.depth = depth
        self.taken = taken  # the last line that is spoken for
        self.context = context  # "top", "class" or "function": what counts as a definition here
        self.comment = self.comment_end = -1  # lines of a comment that waits for what follows


class Outline:
    """Collects the cuts of one parse tree."""

    def __init__(self, lines: Lines, grammar: Grammar) -> None:
        self.lines, self.grammar = lines, grammar
        self.cuts: list[Cut] = []

    def walk(self, root: Node) -> list[Cut]:
        top = Label("block")
        self.cuts.append(Cut(0, top, 0))
        self._children(root, _Siblings(top, top, 0, -1, "top"))
        return self.cuts

    def _children(self, node: Node, at: _Siblings) -> None:
        """Cuts between the children of `node`."""
        if at.depth > MAX_DEPTH or node.child_count > MAX_CHILDREN:
            return
        lines, roles = self.lines, self.grammar.roles
        for child in node.children if node.type == "ERROR" else node.named_children:
            start, stop = child.start_byte, child.end_byte
            if stop == start:
                continue
            first, last = lines.at(start), lines.at(stop - 1)
            begins = first > at.taken and lines.begins_line(first, start)
            role = roles.get(child.type)
            if role == "leading":
                if begins:
                    self._leading(at, first, last)
            else:
                found = definition(child, self.grammar) if role is not None else None
                head = self._head(at, first) if begins else -1
                if found is not None and _counts(found, at.context, stop - start):
                    at.taken = max(at.taken, first)
                    self._define(found, at, head, last)
                else:
                    self._statement(child, at, head, first, stop - start)
                at.taken = max(at.taken, last)
        if at.comment >= 0:
            self._cut(at.comment, at.label, at.depth)

    def _leading(self, at: _Siblings, first: int, last: int) -> None:
        """A comment or attribute on lines of its own waits for what follows."""
        if at.comment >= 0 and first > at.comment_end + 1:
            self._cut(at.comment, at.label, at.depth)
            at.comment = -1
        if at.comment < 0:
            at.comment = first
        at.comment_end = last
        at.taken = max(at.taken, last)

    def _head(self, at: _Siblings, first: int) -> int:
        """Where something that begins on line `first` begins with its comments; others become statements."""
        comment, at.comment = at.comment, -1
        if comment < 0:
            return first
        if first <= at.comment_end + 1:
            return comment
        self._cut(comment, at.label, at.depth)
        return first

    def _statement(self, node: Node, at: _Siblings, head: int, first: int, size: int) -> None:
        if head >= 0:
            self._cut(head, at.label, at.depth)
            if size < OPENED:
                return
        # A body that begins on its header's line ("{") is a container, however small.
        context = at.context
        if context == "function":
            if size <= OPENED_IN_FUNCTIONS:
                return
            if node.type in self.grammar.class_values:
                context = "class"  # an anonymous type: its methods are members again
        inner = _Siblings(at.label, at.rest, at.depth + 1, max(at.taken, first), context)
        if head >= 0:  # what begins here can begin again inside, with the same comment above it
            inner.taken = first - 1
            if head < first:
                inner.comment, inner.comment_end = head, first - 1
        self._children(node, inner)
        at.label = at.label if inner.label is at.label else at.rest

    def _define(self, found: Definition, at: _Siblings, head: int, last: int) -> None:
        """Cuts for one definition."""
        label, depth = at.label, at.depth
        if head < 0:  # in the middle of a line: it stays what it stands in
            self._children(found.inner, _Siblings(label, label, depth + 1, at.taken, at.context))
            return
        at.label = at.rest
        if found.role == "scope":
            inside = Label("block", "", _join(label.inside, found.scope, found.name))
            self._cut(head, inside, depth)
            context = "class" if at.context == "class" else "top"
            self._children(found.inner, _Siblings(inside, inside, depth + 1, at.taken, context))
            return
        new = Label(_kind(found, at.context), found.name, _join(label.inside, found.scope), label.inside)
        member = Label("block", "", new.inside)
        heavy = self.lines.weight(head, last + 1) > WHOLE
        if found.role == "impl" and heavy:
            new = member  # its members say more than the line that opens it
        self._cut(head, new, depth)
        if not heavy:
            return
        if found.role in ("class", "impl"):
            inner = _Siblings(new, member, depth + 1, at.taken, "class")
        else:
            context = "function" if found.role == "function" else at.context
            inner = _Siblings(new, new, depth + 1, at.taken, context)
        self._children(found.inner, inner)

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
