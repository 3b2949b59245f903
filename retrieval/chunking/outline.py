"""Walks a parse tree and collects split points: lines at which another definition or statement begins.

A split point has a label (what the following lines belong to) and a syntax depth: shallow ones are better places to end a
chunk. The walk enters a node only if it is large or may contain definitions, so that most nodes of a file never become
Python objects.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from retrieval.chunking.definition import Definition, text_of
from retrieval.chunking.grammar import Grammar
from retrieval.chunking.line_index import LineIndex
from retrieval.chunking.symbols import definition
from retrieval.types import ChunkKind, Symbol

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_WHOLE_WEIGHT = 1600  # weight up to which a definition is one chunk: about 50 lines
MIN_SEARCHED_BYTES = 300  # minimum size of a statement outside functions that is searched for definitions
MIN_SEARCHED_IN_FUNCTION_BYTES = 800  # inside functions only long statements can contain a relevant definition
MIN_NESTED_BYTES = 400  # minimum size of a definition inside a function that is a separate chunk
MAX_DEPTH = 60  # of nested nodes; deeper nesting is generated code
MAX_CHILDREN = 20_000  # of one node; more are a data table, which line windows split as well
# How the types of nodes end that hold the members of a type.
_BODIES = (
    "body",
    "block",
    "declaration_list",
    "declarations",
    "body_statement",
    "object_type",
    "interface_type",
    "statements",
)
_MAX_TRAILING_DEPTH = 4


class Label:
    """The definition that lines belong to. Compared by identity: two overloads are two labels."""

    __slots__ = ("first", "home", "is_split", "kind", "language", "last", "members", "scope", "symbol")

    def __init__(self, kind: ChunkKind, symbol: str = "", scope: str = "", home: str | None = None) -> None:
        """`home` is the enclosing scope; `scope` can be longer: a Go method's receiver, `A::b` in C++."""
        self.kind, self.symbol, self.scope = kind, symbol, scope
        self.home = scope if home is None else home
        self.language = ""  # where it is not the file's
        self.first, self.last = 0, -1  # the lines of the definition itself, where they are known
        self.is_split = False  # its members are labels of their own
        self.members: list[Symbol] = []  # definitions that are no labels: the members of a short class

    def lines_of(self, first: int, end: int) -> tuple[int, int]:
        """What of these lines, `end` exclusive, is the definition: not `public:` above it, nor the end of a scope below."""
        at, stop = max(first, self.first), min(end, self.last + 1)
        return (at, stop) if at < stop else (first, end)

    @property
    def inside(self) -> str:
        """The scope of nested definitions."""
        return ".".join(part for part in (self.scope, self.symbol) if part)


class SplitPoint(NamedTuple):
    line: int
    label: Label
    depth: int


class _SiblingWalk:
    """The state of a walk over the children of one node."""

    __slots__ = (
        "access_end",
        "comment",
        "comment_end",
        "context",
        "depth",
        "label",
        "last_assigned",
        "last_function",
        "trailing_label",
    )

    def __init__(self, label: Label, trailing_label: Label, depth: int, last_assigned: int, context: str) -> None:
        self.label = label  # of statements
        self.trailing_label = trailing_label  # of statements after the first definition, outside the class outline
        self.depth = depth
        self.last_assigned = last_assigned  # the last line that is already assigned
        self.context = context  # "top", "class" or "function": decides what counts as a definition
        self.comment = self.comment_end = -1  # lines of a pending comment
        self.access_end = -1  # the last line of `public:` that begins a pending comment
        self.last_function: Label | None = None  # where the next clause of the same function belongs


class Outline:
    """Collects the split points of one parse tree."""

    def __init__(self, lines: LineIndex, grammar: Grammar, source: bytes) -> None:
        """`source`: what was parsed, in which macros can be blanks."""
        self.lines, self.grammar, self.source = lines, grammar, source
        self.split_points: list[SplitPoint] = []
        self._members: list[Symbol] | None = None  # of the short definition that is being looked through
        self._has_prototypes = "prototype" in grammar.roles.values()
        # Of nodes within one line, those without a role say nothing, and no others where they are told by their beginning.
        self._skips_nodes = not grammar.comments_inside and "package" not in grammar.roles.values()
        self._skips_roles = not grammar.clauses and not grammar.continues

    def walk(self, root: Node, context: str = "top") -> list[SplitPoint]:
        top = Label("block")
        self.split_points.append(SplitPoint(0, top, 0))
        self._children(root, _SiblingWalk(top, top, 0, -1, context))
        return self.split_points

    def _children(self, node: Node, siblings: _SiblingWalk) -> None:
        """Add the split points between the children of `node`."""
        if siblings.depth > MAX_DEPTH or node.child_count > MAX_CHILDREN:
            return
        roles, starts, count, source = self.grammar.roles, self.lines.starts, self.lines.count, self.source
        is_skippable = self._skips_nodes and not (siblings.context == "class" and self._has_prototypes)
        first = 0
        for child in node.children if node.type == "ERROR" else node.named_children:
            start, stop = child.start_byte, child.end_byte
            if stop == start:
                continue
            first = bisect_right(starts, start, first, count) - 1  # not by `line_at`: half of the time would be calls
            last = first if stop <= starts[first + 1] else bisect_right(starts, stop - 1, first, count) - 1
            line_start = starts[first]
            begins_line = first > siblings.last_assigned and (
                line_start == start or not source[line_start:start].strip()
            )
            role = roles.get(child.type)
            if first == last and not begins_line and is_skippable and self._is_skipped(role, siblings, stop - start):
                siblings.last_function = None
                siblings.last_assigned = max(siblings.last_assigned, last)
            elif role == "leading":
                if begins_line:
                    self._leading(siblings, first, last, is_access=child.type == "access_specifier")
            elif role == "continued":
                self._continued(child, siblings, first, last)
            else:
                self._node(child, role, siblings, (first, last), begins_line=begins_line)
        if siblings.comment >= 0:
            self._add_split(siblings.comment, siblings.label, siblings.depth)

    def _is_skipped(self, role: str | None, siblings: _SiblingWalk, size: int) -> bool:
        """Whether a node in the middle of its only line says nothing: no line begins in it."""
        if siblings.context == "function" and size > MIN_SEARCHED_IN_FUNCTION_BYTES:
            return False
        return role is None or (self._skips_roles and role not in ("leading", "continued"))

    def _node(
        self, node: Node, role: str | None, siblings: _SiblingWalk, lines: tuple[int, int], *, begins_line: bool
    ) -> None:
        """Add the split points of a definition or statement."""
        first, last = lines
        node_definition = definition(node, self.grammar) if role is not None else None
        head = self._head(siblings, first) if begins_line else -1
        size = node.end_byte - node.start_byte
        comment = self._comment_inside(node, last) if self.grammar.comments_inside else -1
        if comment > first:
            last = comment - 1
        if node_definition is not None and self.grammar.continues:
            last = max(last, self._continued_to(node))
        if node_definition is not None and _is_unit(node_definition, siblings.context, size):
            siblings.last_assigned = max(siblings.last_assigned, first)
            self._define(node_definition, siblings, head, last)
        elif node_definition is not None and node_definition.role == "prototype" and siblings.context == "class":
            self._prototype(node_definition, siblings, head, last)
        else:
            siblings.last_function = None
            if role == "package":  # it names the file
                scope = text_of(node.child_by_field_name("name")).replace("::", ".")
                siblings.label = Label("block", scope)
                siblings.label.last = last
            self._statement(node, siblings, head, first, size)
            if role == "package":
                siblings.label = siblings.trailing_label = Label("block", "", scope)
        siblings.last_assigned = max(siblings.last_assigned, last)
        if comment > first:
            siblings.comment, siblings.comment_end = comment, lines[1]
            siblings.last_assigned = lines[1]

    def _continued_to(self, node: Node) -> int:
        """The last line of a definition that goes on in the next sibling; -1 if it does not."""
        sibling = node.next_named_sibling
        if sibling is None or self.grammar.roles.get(sibling.type) != "continued":
            return -1
        return self.lines.line_at(max(sibling.end_byte - 1, sibling.start_byte))

    def _continued(self, node: Node, siblings: _SiblingWalk, first: int, last: int) -> None:
        """Add the split points of a node that belongs to the definition before."""
        if self.lines.weight(first, last + 1) > MAX_WHOLE_WEIGHT:
            label = self.split_points[-1].label
            assigned = max(siblings.last_assigned, first) if siblings.last_assigned < last else first
            self._children(node, _SiblingWalk(label, label, siblings.depth + 1, assigned, "function"))
        siblings.last_assigned = max(siblings.last_assigned, last)

    def _comment_inside(self, node: Node, last: int) -> int:
        """The first line of a comment at the end of a node that is directly above the next one; -1 without."""
        following = node.next_named_sibling
        if following is None or self.lines.line_at(following.start_byte) != last + 1:
            return -1
        inner, line = node, -1
        for _ in range(_MAX_TRAILING_DEPTH):
            children = inner.named_children
            while children and self.grammar.roles.get(children[-1].type) == "leading":
                start = children.pop().start_byte
                at = self.lines.line_at(start)
                if not self.lines.begins_line(at, start, self.source) or (line >= 0 and at < line - 1):
                    break
                line = at
            if line >= 0 or not children:
                break
            inner = children[-1]
        return line

    def _prototype(self, found: Definition, siblings: _SiblingWalk, head: int, last: int) -> None:
        """Note a member that stays in the outline of its type."""
        owner = siblings.label
        if head >= 0:
            self._add_split(head, owner, siblings.depth)
        if found.name and owner.kind == "class":
            members = owner.members if self._members is None else self._members
            first = head if head >= 0 else self.lines.line_at(found.inner.start_byte)
            first = self._below_access(siblings, first)
            members.append(Symbol(found.name, "method", owner.inside, first + 1, last + 1))

    def _below_access(self, siblings: _SiblingWalk, head: int) -> int:
        """The first line of a definition, without `public:` above it."""
        return siblings.access_end + 1 if siblings.access_end >= head else head

    def _leading(self, siblings: _SiblingWalk, first: int, last: int, *, is_access: bool = False) -> None:
        """Keep a comment or attribute on its own lines for the node that follows."""
        if siblings.comment >= 0 and first > siblings.comment_end + 1:
            self._add_split(siblings.comment, siblings.label, siblings.depth)
            siblings.comment = -1
        if siblings.comment < 0:
            siblings.comment = first
        siblings.comment_end = last
        if is_access and siblings.comment == first:
            siblings.access_end = last
        siblings.last_assigned = max(siblings.last_assigned, last)

    def _head(self, siblings: _SiblingWalk, first: int) -> int:
        """The first line of a node including its comments; unrelated comments become statements."""
        comment, siblings.comment = siblings.comment, -1
        if comment < 0:
            return first
        if first <= siblings.comment_end + 1:
            return comment
        self._add_split(comment, siblings.label, siblings.depth)
        return first

    def _statement(self, node: Node, siblings: _SiblingWalk, head: int, first: int, size: int) -> None:
        if head >= 0:
            self._add_split(head, siblings.label, siblings.depth)
            if size < MIN_SEARCHED_BYTES and not self._is_body(node, siblings.context):
                if siblings.context != "function" and self.grammar.roles.get(node.type) == "wrapper":
                    self._add_members(siblings.label, node, siblings, first - 1)  # `const (`: a group of names
                return
        # A body that begins on its header's line ("{") is a container, whatever its size.
        context = siblings.context
        if context == "function":
            if size <= MIN_SEARCHED_IN_FUNCTION_BYTES:
                return
            if node.type in self.grammar.class_values:
                context = "class"  # an anonymous type: its methods are members
        inner_walk = _SiblingWalk(
            siblings.label, siblings.trailing_label, siblings.depth + 1, max(siblings.last_assigned, first), context
        )
        if head >= 0:  # a nested node can begin here too, with the same comment above it
            inner_walk.last_assigned = first - 1
            if head < first:
                inner_walk.comment, inner_walk.comment_end = head, first - 1
        self._children(node, inner_walk)
        siblings.label = siblings.label if inner_walk.label is siblings.label else siblings.trailing_label

    def _is_body(self, node: Node, context: str) -> bool:
        """Whether a short node is to be searched for definitions, as the body of a class with its brace on a line of its own."""
        return node.type in self.grammar.bodies or (context == "class" and node.type.endswith(_BODIES))

    def _define(self, node_definition: Definition, siblings: _SiblingWalk, head: int, last: int) -> None:
        """Add the split points of one definition."""
        label, depth = siblings.label, siblings.depth
        if head < 0:  # in the middle of a line: it belongs to the enclosing node
            self._children(
                node_definition.inner, _SiblingWalk(label, label, depth + 1, siblings.last_assigned, siblings.context)
            )
            return
        siblings.label = siblings.trailing_label
        previous, siblings.last_function = siblings.last_function, None
        if node_definition.role == "scope":
            self._open_scope(node_definition, siblings, head, label)
            return
        definition_label = Label(
            _kind(node_definition, siblings.context),
            node_definition.name,
            _join(label.inside, node_definition.scope),
            label.inside,
        )
        definition_label.first, definition_label.last = self._below_access(siblings, head), last
        is_commented = head < self.lines.line_at(node_definition.inner.start_byte)
        if self.grammar.clauses and node_definition.role == "function":
            if previous is not None and not is_commented and _is_same(previous, definition_label):
                definition_label = previous  # one more clause of the function above
                definition_label.last = last
            siblings.last_function = definition_label
        if self._members is not None:
            self._add_member(definition_label, definition_label.first, last, is_clause=definition_label is previous)
        member_label = Label("block", "", definition_label.inside)
        needs_split = self.lines.weight(head, last + 1) > MAX_WHOLE_WEIGHT
        if node_definition.role == "impl" and needs_split:
            definition_label = member_label  # its members are more informative than its header line
        self._add_split(head, definition_label, depth)
        if not needs_split:
            if node_definition.role in ("class", "impl"):
                walk = _SiblingWalk(definition_label, member_label, depth + 1, siblings.last_assigned, "class")
                self._add_members(definition_label, node_definition.inner, walk, siblings.last_assigned)
            return
        definition_label.is_split = node_definition.role in ("class", "impl")
        if definition_label.is_split:
            inner_walk = _SiblingWalk(definition_label, member_label, depth + 1, siblings.last_assigned, "class")
        else:
            context = "function" if node_definition.role == "function" else siblings.context
            inner_walk = _SiblingWalk(definition_label, definition_label, depth + 1, siblings.last_assigned, context)
        self._children(node_definition.inner, inner_walk)

    def _open_scope(self, scope: Definition, siblings: _SiblingWalk, head: int, around: Label) -> None:
        """A namespace, module or the like: its members are what counts."""
        label = Label("block", "", _join(around.inside, scope.scope, scope.name))
        self._add_split(head, label, siblings.depth)
        context = "class" if siblings.context == "class" else "top"
        self._children(scope.inner, _SiblingWalk(label, label, siblings.depth + 1, siblings.last_assigned, context))

    def _add_members(self, owner: Label, node: Node, siblings: _SiblingWalk, last_assigned: int) -> None:
        """Note the definitions in a node that stays whole."""
        count, last_point, outer = len(self.split_points), self.split_points[-1], self._members
        self._members = owner.members if outer is None else outer
        walk = _SiblingWalk(
            siblings.label, siblings.trailing_label, siblings.depth + 1, last_assigned, siblings.context
        )
        self._children(node, walk)
        self._members = outer
        del self.split_points[count:]
        self.split_points[-1] = last_point

    def _add_member(self, label: Label, head: int, last: int, *, is_clause: bool) -> None:
        assert self._members is not None
        if is_clause:
            self._members[-1] = replace(self._members[-1], end_line=last + 1)
        elif label.symbol:
            self._members.append(Symbol(label.symbol, label.kind, label.scope, head + 1, last + 1))

    def _add_split(self, line: int, label: Label, depth: int) -> None:
        last = self.split_points[-1]
        if line > last.line:
            self.split_points.append(SplitPoint(line, label, depth))
        elif line == last.line and label is not last.label:
            self.split_points[-1] = SplitPoint(line, label, min(depth, last.depth))


def _is_unit(node_definition: Definition, context: str, size: int) -> bool:
    """Whether a definition is a unit in this context."""
    if context == "function":
        return node_definition.role not in ("variable", "prototype") and size >= MIN_NESTED_BYTES
    return context != "class" or node_definition.role not in ("variable", "prototype")


def _is_same(previous: Label, label: Label) -> bool:
    return (previous.symbol, previous.scope) == (label.symbol, label.scope)


def _kind(node_definition: Definition, context: str) -> ChunkKind:
    if node_definition.role in ("variable", "prototype"):
        return "block"
    if node_definition.role == "function":
        return "method" if context == "class" or node_definition.scope else "function"
    return "class"


def _join(*parts: str) -> str:
    return ".".join(part for part in parts if part)
