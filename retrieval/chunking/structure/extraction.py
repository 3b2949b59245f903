"""What a parse tree defines, calls and imports, by one query over it.

The query of a language is made of its grammar's roles (grammars.py) and its table of calls (call_tables.py), and compiled once. The
text is hostile: the size of the tree, names and the number of entries are bounded, and the walk stops with the parser's deadline.
(The query itself takes no callback: py-tree-sitter 0.26.1 crashes with one.)
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from retrieval.chunking.definition import MAX_NAME
from retrieval.chunking.grammar import Grammar
from retrieval.chunking.grammars import grammar_of, load
from retrieval.chunking.line_index import LineIndex
from retrieval.chunking.structure.call_tables import CALLS, NO_CALLS, VALUED
from retrieval.chunking.structure.imports import Import, imports_of
from retrieval.chunking.symbols import definition

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Query

MAX_DEFINITIONS = 4_000  # of one file, and the same for what it calls and imports: more is generated code
MAX_USES = 20_000
MAX_CALLEE_BYTES = 160  # read before the end of a name: `self.index.writer.add`
MAX_QUALIFIER = 60
MAX_NODES = 1_000_000  # of a tree: 1 MB of ordinary source has half of that
_MATCH_LIMIT = 4_096  # of matches that the query has begun and not finished

_NAME = re.compile(rb"[A-Za-z_$\x80-\xff][\w$\x80-\xff]*[?!]?$")
_TYPE_ARGUMENTS = re.compile(rb"\s*(?:::)?(?:<[^<>]*>|\[[^\[\]]*\])$")
_SEPARATOR = re.compile(rb"(?:\?\.|&\.|\.|::|->|\\)\s*$")
_LUA_SEPARATOR = re.compile(rb"[.:]\s*$")
_CALLEE = re.compile(
    rb"(?:([\w$@\x80-\xff]+(?:(?:\.|::|->|\?\.)[\w$@\x80-\xff]+)*)(?:\.|::|->|\?\.))?([A-Za-z_$\x80-\xff][\w$\x80-\xff]*[?!]?)"
)
_LAST_OF_SEPARATOR = (b".", b">", b":", b"\\")
_QUALIFIER = re.compile(rb"[\w$@\x80-\xff]+(?:(?:\?\.|&\.|\.|::|->|\\|:)[\w$@\x80-\xff]+)*$")
_DEFINING = ("function", "class", "impl", "scope", "prototype")
_MODULE_SEPARATOR = re.compile(r"[/.]")
_PARTS = re.compile(r"[^.:?&>\\-]+")
UNKNOWN = "?"  # a receiver that has no name: the result of a call, an element


class Definition(NamedTuple):
    """A function, method or type. Lines are counted from 1; `line` is that of its name."""

    name: str
    kind: str
    scope: str
    first: int
    last: int
    line: int

    @property
    def qualified(self) -> str:
        return f"{self.scope}.{self.name}" if self.scope else self.name


class Use(NamedTuple):
    """A name that is called or imported. `owner` is the number of the definition around it, -1 outside of all. `module` and
    `original` are where an import takes the name, or what is before it, from.
    """

    name: str
    kind: str  # "call" or "import"
    line: int
    owner: int
    qualifier: str = ""  # what is written before it: "self", "store.files", UNKNOWN
    module: str = ""
    original: str = ""


@dataclass(slots=True)
class FileStructure:
    """What is known of one file; `wildcard` says that an import brings names that are not written down."""

    definitions: list[Definition] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    wildcards: list[str] = field(default_factory=list)  # modules

    def add(self, other: FileStructure, offset: int = 0) -> None:
        """What is known of some lines of the file, which begin `offset` lines below its first."""
        if not (offset or self.definitions or self.uses):
            self.definitions, self.uses = other.definitions, other.uses
            self.wildcards += other.wildcards
            return
        before = len(self.definitions)
        for d in other.definitions[: MAX_DEFINITIONS - before]:
            self.definitions.append(d._replace(first=d.first + offset, last=d.last + offset, line=d.line + offset))
        for use in other.uses[: MAX_USES - len(self.uses)]:
            owner = use.owner + before if 0 <= use.owner + before < len(self.definitions) and use.owner >= 0 else -1
            self.uses.append(use._replace(line=use.line + offset, owner=owner))
        self.wildcards += other.wildcards


def extract(root: Node, language: str, source: bytes, lines: LineIndex, until: float) -> FileStructure:
    """What a tree holds. Past the deadline (in CPU time of this thread) it is what was found until then."""
    query = _query(language)
    grammar = grammar_of(language)
    if query is None or grammar is None or root.descendant_count > MAX_NODES or time.thread_time() > until:
        return FileStructure()
    from tree_sitter import QueryCursor

    cursor = QueryCursor(query, match_limit=_MATCH_LIMIT)
    captures = cursor.captures(root)
    walk = _Walk(language, source, lines)
    nodes = [(node.start_byte, -node.end_byte, node, True) for node in captures.get("definition", ())]
    nodes += [(node.start_byte, -node.end_byte, node, False) for node in captures.get("call", ())]
    walk.imports(sorted(captures.get("import", ()), key=lambda node: node.start_byte))
    nodes.sort(key=lambda row: (row[0], row[1], not row[3]))
    before = (-1, 0, False)
    for number, (start, end, node, defines) in enumerate(nodes):
        if not number % 500 and time.thread_time() > until:
            break
        if (start, end, defines) == before:
            continue  # two patterns have it
        before = start, end, defines
        if defines:
            walk.define(node, grammar, start, -end)
        else:
            walk.call(start, -end)
    return walk.structure


class _Open(NamedTuple):
    """A definition that is not over yet; a scope, such as a namespace, has no number."""

    end: int
    number: int
    inside: str
    is_type: bool


class _Walk:
    """Goes through captures in the order of the text."""

    def __init__(self, language: str, source: bytes, lines: LineIndex) -> None:
        self.structure = FileStructure()
        self._language, self._source, self._lines = language, source, lines
        self._colon = language == "lua"
        self._no_calls = NO_CALLS.get(language, frozenset())
        self._bound: dict[str, Import] = {}
        self._around: list[_Open] = []

    def imports(self, nodes: list[Node]) -> None:
        uses = self.structure.uses
        for node in nodes:
            text = self._source[node.start_byte : node.end_byte].decode("utf-8", "replace")
            line = self._lines.line_at(node.start_byte) + 1
            for one in imports_of(self._language, text):
                if len(uses) >= MAX_USES:
                    return
                if one.name == "*":
                    self.structure.wildcards.append(one.module)
                    continue
                self._bound[one.name] = one
                last = one.original or _MODULE_SEPARATOR.split(one.module)[-1]
                if last and last != "default":
                    uses.append(Use(last[:MAX_NAME], "import", line, -1, "", one.module, one.original))

    def define(self, node: Node, grammar: Grammar, start: int, end: int) -> None:
        found = definition(node, grammar)
        if found is None or found.role in ("variable", "package") or not (found.name or found.role == "impl"):
            return
        if grammar.continues and (body := node.next_named_sibling) and grammar.roles.get(body.type) == "continued":
            end = body.end_byte
        self._close(start)
        outer = self._around[-1] if self._around else None
        scope = ".".join(part for part in (outer.inside if outer else "", found.scope) if part)
        inside = ".".join(part for part in (scope, found.name) if part)
        number = outer.number if outer else -1
        is_type = found.role in ("class", "impl", "scope")
        definitions = self.structure.definitions
        if found.role in ("function", "class", "prototype") and found.name:
            if len(definitions) >= MAX_DEFINITIONS:
                return
            member = bool(found.scope) or (outer is not None and outer.is_type) or found.role == "prototype"
            kind = "class" if found.role == "class" else "method" if member else "function"
            first, last = self._lines.line_at(start) + 1, self._lines.line_at(max(end - 1, start)) + 1
            if definitions and definitions[-1][:3] == (found.name, kind, scope) and grammar.clauses:
                definitions[-1] = definitions[-1]._replace(last=last)
            else:
                definitions.append(
                    Definition(found.name, kind, scope, first, last, self._name_line(found.name, start, end))
                )
            number = len(definitions) - 1
        self._around.append(_Open(end, number, inside, is_type and found.role != "scope"))

    def _name_line(self, name: str, start: int, end: int) -> int:
        at = self._source.find(name.encode("utf-8", "replace"), start, min(end, start + 2_000))
        return self._lines.line_at(max(at, start)) + 1

    def _close(self, start: int) -> None:
        while self._around and self._around[-1].end <= start:
            self._around.pop()

    def call(self, start: int, end: int) -> None:
        if len(self.structure.uses) >= MAX_USES:
            return
        self._close(start)
        name, qualifier = callee(self._source, start, end, colon=self._colon)
        if not name or len(name) > MAX_NAME or name in self._no_calls:
            return
        line = self._lines.line_at(end - 1) + 1
        owner = self._around[-1].number if self._around else -1
        if name == "new" and qualifier and self._language == "ruby":
            outer, _, name = qualifier.rpartition("::")
            qualifier = outer
        definitions = self.structure.definitions
        if (
            owner >= 0
            and definitions[owner].name == name
            and definitions[owner].line == line
            and definitions[owner].first == line
        ):
            return  # the head of a definition that reads like a call, as in Elixir
        origin = self._origin(name, qualifier)
        if origin is None:
            self.structure.uses.append(Use(name, "call", line, owner, qualifier))
            return
        if not qualifier and origin.original and origin.original != "default":
            name = origin.original
        self.structure.uses.append(Use(name, "call", line, owner, qualifier, origin.module, origin.original))

    def _origin(self, name: str, qualifier: str) -> Import | None:
        """Where an import takes the name from, or what is before it."""
        if not qualifier:
            return self._bound.get(name)
        found = self._bound.get(qualifier)
        if found is None and qualifier != UNKNOWN and self._bound:
            root, *rest = _PARTS.findall(qualifier)
            found = self._bound.get(root)
            if found is not None and rest:  # a.b.go(): what a.b is, a is not
                found = found._replace(
                    module="/".join(p for p in (found.module, found.original, *rest[:-1]) if p), original=rest[-1]
                )
        return found


def callee(source: bytes, start: int, end: int, *, colon: bool = False) -> tuple[str, str]:
    """The name that ends a node and what is before it: `self.items.add` -> ("add", "self.items"). `colon`: as in Lua's `a:add`."""
    if end - start <= MAX_CALLEE_BYTES:
        match = _CALLEE.fullmatch(source, start, end)
        if match is not None and (match[1] or source[start - 1 : start] not in _LAST_OF_SEPARATOR):
            return match[2].decode("utf-8", "replace"), (match[1] or b"").decode("utf-8", "replace")[:MAX_QUALIFIER]
    return _callee_before(source, end, _LUA_SEPARATOR if colon else _SEPARATOR)


def _callee_before(source: bytes, end: int, separator: re.Pattern[bytes]) -> tuple[str, str]:
    """The same where a node does not hold all of it, or more than names: `make().items[0].add`."""
    before = source[max(0, end - MAX_CALLEE_BYTES) : end]
    match = _NAME.search(before)
    for _ in range(3):
        if match is not None:
            break
        before = _TYPE_ARGUMENTS.sub(b"", before)
        match = _NAME.search(before)
    if match is None:
        return "", ""
    name, before = match[0].decode("utf-8", "replace"), before[: match.start()]
    mark = separator.search(before)
    if mark is None or before.endswith(b".."):
        return name, ""
    owner = _QUALIFIER.search(before[: mark.start()].rstrip())
    if owner is None or len(owner[0]) > MAX_QUALIFIER:
        return name, UNKNOWN
    return name, owner[0].decode("utf-8", "replace")


@cache
def _query(language: str) -> Query | None:
    """The compiled query of a language (1 to 140 ms, once a process); None without a grammar."""
    grammar, loaded = grammar_of(language), load(language)
    if grammar is None or loaded is None or grammar.data:
        return None
    from tree_sitter import Query, QueryError

    try:
        compiled: Query = Query(loaded, pattern_of(language, grammar, loaded))
    except QueryError:  # an older or newer grammar has other nodes
        return None
    return compiled


def pattern_of(language: str, grammar: Grammar, loaded: Language) -> str:
    """The query for what a language defines, calls and imports."""

    def known(kinds: Iterable[str]) -> list[str]:
        return [kind for kind in kinds if loaded.id_for_node_kind(kind, True) is not None]

    wanted = known(kind for kind, role in grammar.roles.items() if role in _DEFINING)
    definitions = f"[{' '.join(f'({kind})' for kind in wanted)}] @definition" if wanted else ""
    values = " ".join(f"({kind})" for kind in known(sorted(grammar.function_values | grammar.class_values)))
    valued = [_valued(kind, grammar.fields[kind][1], values) for kind in known(grammar.fields)] if values else []
    return "\n".join((definitions, *valued, VALUED.get(language, ""), CALLS.get(language, "")))


def _valued(kind: str, value: str, values: str) -> str:
    """A name whose value is a function or type."""
    if kind not in ("lexical_declaration", "variable_declaration"):
        return f"({kind} {value}: [{values}]) @definition"
    wrapped = "(call_expression arguments: (arguments [(arrow_function) (function_expression)]))"  # memo(() => ...)
    return f"({kind} (variable_declarator {value}: [{values} {wrapped}])) @definition"
