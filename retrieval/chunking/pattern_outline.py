"""Split points of a language without a grammar: definitions by patterns, nesting by indentation, comments by their marks.

A definition begins at the comments and annotations directly above it. It goes on to the next line that begins no further in
and is neither its end nor within its body; statements that stand directly below it belong to it. A wrong guess costs an odd
boundary, never text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cache

from retrieval.chunking.comments import BLANK, CODE, COMMENT, line_kinds, syntax_of
from retrieval.chunking.line_index import LineIndex
from retrieval.chunking.outline import MAX_WHOLE_WEIGHT, Label, SplitPoint
from retrieval.chunking.pattern_rules import Compiled
from retrieval.types import ChunkKind, Symbol

# Of a line: some of the patterns take the square of a line's length, and no definition begins with more.
HEADER_BYTES = 240
TAB = 4  # columns
_MAX_PARAGRAPH_DEPTH = 6
_ENDS = re.compile(rb"(?i)[})\]]|end|\$\$|/\s*$|esac|fi\b|done\b|go\s*$")
_GOES_ON = re.compile(
    rb"(?i)\{|(?:begin|is|as|then|else|elsif|elif|catch|except|exception|finally|rescue|ensure|where|with|var|const|type|declare|"
    rb"returns|return|language|implementation|uses|deterministic|contains|implicit|use|integer|real|private|public|output|input)\b|[|&,.:=>?+-]"
)


@dataclass(slots=True)
class _Node:
    """A definition: lines head to end (exclusive), the column it begins in, and what is inside."""

    label: Label
    head: int
    column: int
    container: bool
    flat: bool = False
    end: int = 0
    closed: bool = False  # its last line was there
    children: list[_Node] = field(default_factory=list)


class PatternOutline:
    """Collects the definitions of one file, then their split points."""

    def __init__(self, language: str, lines: LineIndex, rules: Compiled) -> None:
        self.lines, self.rules = lines, rules
        self.kinds = line_kinds(lines, syntax_of(language))
        self.has_pod = syntax_of(language).pod
        self._in_type = _patterns(rules, in_type=True)
        self._elsewhere = _patterns(rules, in_type=False)
        self.root = _Node(Label("block"), 0, -1, True)
        self.paragraphs: list[tuple[int, int]] = []  # (line, column) behind blank lines
        self.split_points: list[SplitPoint] = [SplitPoint(0, self.root.label, 0)]

    def walk(self) -> list[SplitPoint]:
        self._collect()
        self._emit_children(self.root, self.root.label, self.root.label, 0)
        return self.split_points

    # -- definitions ------------------------------------------------------------------------------------------------

    def _collect(self) -> None:
        stack = [self.root]
        comment = comment_end = -1  # lines of a pending comment
        last = -1  # the last line that is not blank
        for line, row in enumerate(self.lines.rows()):
            kind = self.kinds[line]
            if kind == BLANK:
                continue
            bare = row.lstrip()
            column = _column(row, len(row) - len(bare))
            is_leading = kind == CODE and self._is_leading(bare)
            if kind == COMMENT or is_leading:
                if comment < 0 or comment_end < line - 1:
                    comment = line
                comment_end = line
                self._note_paragraph(line, column)
                continue
            head = comment if comment >= 0 and self._belongs(comment_end, line) else line
            if kind == CODE:
                self._code(stack, line, head, column, bare[:HEADER_BYTES], last)
            comment, last = -1, line
        for node in stack:
            node.end = self.lines.count

    def _belongs(self, comment_end: int, line: int) -> bool:
        """Whether a comment is directly above; perldoc is written with a blank line below."""
        if comment_end == line - 1:
            return True
        return self.has_pod and comment_end == line - 2 and self.lines.row(comment_end)[:4] == b"=cut"

    def _is_leading(self, bare: bytes) -> bool:
        leading = self.rules.leading
        if leading is None or leading.match(bare) is None or bare.rstrip()[-1:] in (b"{", b"="):
            return False
        return self._definition(bare[:HEADER_BYTES], 0, self.root) is None

    def _code(self, stack: list[_Node], line: int, head: int, column: int, bare: bytes, last: int) -> None:
        found = self._definition(bare, column, stack[-1])
        if found is None:
            found = self._in_outer(stack, bare, column)
        if found is not None and not (stack[-1].column < column and not stack[-1].container):
            self._open(stack, found, line, head, column, last)
            return
        self._statement(stack, line, head, column, bare, last)

    def _in_outer(self, stack: list[_Node], bare: bytes, column: int) -> _Found | None:
        """A member of the container around the open definition."""
        top = stack[-1]
        if top.container:
            return None  # its patterns were tried, and those outside of it are the same or fewer
        for node in reversed(stack):
            if node.container and (node.column < column or node.flat):
                # Outside of all types only what was tried for the open definition defines something.
                return self._definition(bare, column, node) if node is not self.root else None
        return None

    def _open(self, stack: list[_Node], found: _Found, line: int, head: int, column: int, last: int) -> None:
        del line
        while len(stack) > 1 and not _holds(stack[-1], column, found):
            stack.pop().end = last + 1
        parent = stack[-1]
        previous = parent.children[-1] if parent.children else None
        symbol, scope = found.symbol, found.scope
        home = parent.label.inside
        if (
            self.rules.rules.clauses
            and previous is not None
            and previous.label.symbol == symbol
            and previous.end == last + 1
        ):
            is_commented = head < last + 1 or self.kinds[head] == COMMENT
            if not is_commented:
                stack.append(previous)
                return
        kind: ChunkKind = found.kind
        if kind == "function" and (scope or (parent.label.kind == "class" and parent is not self.root)):
            kind = "method"
        label = Label(kind, symbol, ".".join(part for part in (home, scope) if part), home)
        node = _Node(label, head, column, found.container, found.flat)
        parent.children.append(node)
        stack.append(node)

    def _statement(self, stack: list[_Node], line: int, head: int, column: int, bare: bytes, last: int) -> None:
        """A line that begins no definition: it may end some."""
        top = stack[-1]
        after_blank = last < head - 1
        while len(stack) > 1 and column <= top.column:
            if len(stack) > 2 and column <= stack[-2].column < top.column:
                stack.pop().end = last + 1  # the type around it goes on or ends here
                top = stack[-1]
                continue
            ends = column == top.column and _ENDS.match(bare) is not None
            if top.flat:
                if self.rules.flat_end is not None and self.rules.flat_end.match(bare):
                    stack.pop().end = line + 1
                return
            if ends and not top.closed:
                top.closed = True
                return
            goes_on = column == top.column and _GOES_ON.match(bare) is not None
            if not top.closed and (goes_on or not after_blank or not self._ended(last)):
                break
            stack.pop().end = last + 1
            top = stack[-1]
        if after_blank:
            self._note_paragraph(head, column)

    def _ended(self, line: int) -> bool:
        """Whether a line looks like the end of a definition."""
        if line < 0:
            return True
        row = self.lines.row(line).rstrip()
        return row[:1].isspace() or row.endswith((b";", b"}", b")", b".")) or row.lower().startswith(b"end")

    def _note_paragraph(self, line: int, column: int) -> None:
        if line and self.kinds[line - 1] == BLANK:
            self.paragraphs.append((line, column))

    def _definition(self, bare: bytes, column: int, parent: _Node) -> _Found | None:
        rules = self.rules
        in_type = parent.container and parent is not self.root
        if column and not in_type and not rules.rules.anywhere:
            return None
        for pattern, kind, container, flat in self._in_type if in_type else self._elsewhere:
            match = pattern.match(bare)
            if match is not None and match.lastindex is not None:
                name = (match[match.lastindex] or b"").decode("utf-8", "replace").strip("\"`[]'")
                scope = ""
                if rules.rules.qualified:
                    mark = rules.rules.qualified.decode()
                    outer, _, name = name.rpartition(mark)
                    scope = outer.replace(mark, ".")
                if flat or container:
                    name, scope = (f"{scope}.{name}" if scope else name), ""
                return _Found(name, scope, kind, container, flat)
        return None

    # -- split points -----------------------------------------------------------------------------------------------

    def _emit(self, node: _Node, depth: int) -> None:
        end = self.lines.trimmed(node.head, node.end)[1]
        node.label.last = end - 1
        is_whole = self.lines.weight(node.head, end) <= MAX_WHOLE_WEIGHT
        self._add(node.head, node.label, depth)
        if is_whole:
            self._note_members(node, node.label.members)
            return
        if node.children:
            node.label.is_split = True
            self._emit_children(node, node.label, Label("block", "", node.label.inside), depth + 1)
        else:
            self._emit_paragraphs(node.head + 1, end, node.label, depth + 1)

    def _emit_children(self, node: _Node, label: Label, trailing: Label, depth: int) -> None:
        at = node.head
        for child in node.children:
            self._emit_paragraphs(at, child.head, label, depth)
            self._emit(child, depth)
            label, at = trailing, child.end
            if at < self.lines.count:
                self._add_first(at, node.end, label, depth)
        self._emit_paragraphs(at, node.end, label, depth)

    def _add_first(self, at: int, end: int, label: Label, depth: int) -> None:
        first, stop = self.lines.trimmed(at, max(at, end))
        if first < stop:
            self._add(first, label, depth)

    def _emit_paragraphs(self, first: int, end: int, label: Label, depth: int) -> None:
        paragraphs = self.paragraphs
        for number in range(bisect_left(paragraphs, (first, -1)), bisect_left(paragraphs, (end, -1))):
            line, column = paragraphs[number]
            self._add(line, label, depth + min(column // TAB, _MAX_PARAGRAPH_DEPTH))

    def _note_members(self, node: _Node, members: list[Symbol]) -> None:
        for child in node.children:
            first, end = self.lines.trimmed(child.head, child.end)
            label = child.label
            if label.symbol and first < end:
                members.append(Symbol(label.symbol, label.kind, label.scope, first + 1, end))
            self._note_members(child, members)

    def _add(self, line: int, label: Label, depth: int) -> None:
        last = self.split_points[-1]
        if line > last.line:
            self.split_points.append(SplitPoint(line, label, depth))
        elif line == last.line and label is not last.label:
            self.split_points[-1] = SplitPoint(line, label, min(depth, last.depth))


@dataclass(frozen=True, slots=True)
class _Found:
    """What a line defines."""

    symbol: str
    scope: str
    kind: ChunkKind
    container: bool
    flat: bool


@cache
def _patterns(rules: Compiled, *, in_type: bool) -> tuple[tuple[re.Pattern[bytes], ChunkKind, bool, bool], ...]:
    """What may begin a definition: pattern, kind, whether it is a container, and one with its members at the same column."""
    rows: tuple[tuple[re.Pattern[bytes] | None, ChunkKind, bool, bool], ...] = (
        (rules.flat, "class", True, True),
        (rules.containers, "class", True, False),
        (rules.functions, "function", False, False),
        (rules.members if in_type else None, "function", False, False),
        (rules.variables, "block", False, False),
    )
    return tuple((pattern, kind, container, flat) for pattern, kind, container, flat in rows if pattern is not None)


def _holds(node: _Node, column: int, found: _Found) -> bool:
    """Whether a definition that begins in a column is inside of an open one."""
    if node.flat:
        return not found.flat
    return node.column < column


def _column(row: bytes, indent: int) -> int:
    return indent if b"\t" not in row[:indent] else len(row[:indent].expandtabs(TAB))
