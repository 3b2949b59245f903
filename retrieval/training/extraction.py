"""Doc comment -> code pairs out of one source file, by one rule for every grammar.

A run of comment nodes directly before a node that defines a name documents it. Python's docstrings and Elixir's @doc
are the two exceptions. The rule works on node kinds that grammars share ("…comment…", a `name` or `declarator`
field), so that a language costs one line in the table below.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from retrieval.training.doc_comments import clean_doc

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Query

    Found = tuple[str, str, Node, list[Node]]

MAX_BODY_CHARS = 1_200  # more never fits the model's window
MIN_BODY_CHARS = 40
MAX_PAIRS_PER_FILE = 60

_GRAMMARS = {  # language: (module, function)
    "python": ("tree_sitter_python", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "go": ("tree_sitter_go", "language"),
    "rust": ("tree_sitter_rust", "language"),
    "java": ("tree_sitter_java", "language"),
    "c": ("tree_sitter_c", "language"),
    "cpp": ("tree_sitter_cpp", "language"),
    "csharp": ("tree_sitter_c_sharp", "language"),
    "ruby": ("tree_sitter_ruby", "language"),
    "php": ("tree_sitter_php", "language_php"),
    "bash": ("tree_sitter_bash", "language"),
    "kotlin": ("tree_sitter_kotlin", "language"),
    "swift": ("tree_sitter_swift", "language"),
    "scala": ("tree_sitter_scala", "language"),
    "lua": ("tree_sitter_lua", "language"),
    "elixir": ("tree_sitter_elixir", "language"),
    "haskell": ("tree_sitter_haskell", "language"),
    "zig": ("tree_sitter_zig", "language"),
}
_ENDINGS = {
    ".py": "python", ".pyx": "", ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript", ".jsx": "javascript",
    ".ts": "typescript", ".mts": "typescript", ".cts": "typescript", ".tsx": "tsx", ".go": "go", ".rs": "rust", ".java": "java",
    ".c": "c", ".h": "cpp", ".cc": "cpp", ".cpp": "cpp", ".cxx": "cpp", ".hpp": "cpp", ".hh": "cpp", ".hxx": "cpp", ".cuh": "cpp",
    ".cs": "csharp", ".rb": "ruby", ".php": "php", ".inc": "php", ".sh": "bash", ".bash": "bash", ".kt": "kotlin", ".kts": "kotlin",
    ".swift": "swift", ".scala": "scala", ".lua": "lua", ".nse": "lua", ".ex": "elixir", ".exs": "elixir",
    ".hs": "haskell", ".zig": "zig",
}  # fmt: skip
_SKIPPED_BETWEEN = ("attribute_item", "attribute_list", "annotation", "decorator", "pragma", "inline_pragma")
_BODIES = ("body_statement", "block_body", "declarations")  # a first comment stands before the body, not in it
_TRANSPARENT = ("expression_statement", "assignment_expression", "template_declaration", "export_statement", "ambient_declaration",
                "lexical_declaration", "variable_declaration", "type_declaration", "declaration", "decorated_definition",
                "assignment_statement", "variable_list", "field_definition", "linkage_specification")  # fmt: skip
_DECLARATORS = ("pointer_declarator", "reference_declarator", "init_declarator", "parenthesized_declarator")
_NAME_NODES = ("member_expression", "destructor_name", "operator_name", "dot_index_expression")
_MAX_NESTING = 6
# Texts are parsed in this process: whoever trains names the packages; `c2llm adapt` has a worker parse what a workspace holds.
_FIRST_NAME = re.compile(r"\w+\s+([\w.?!]+)")
_FUNCTION = re.compile(r"^(?:function|method|singleton_method)(?:_definition|_declaration|_item)?$")
_NO_SCOPE = ("program", "source_file", "module", "translation_unit", "compilation_unit", "chunk", "haskell")
_PLAIN_STATEMENTS = (
    "import",
    "include",
    "package",
    "use_",
    "using",
    "call_expression",
    "return",
    "if_",
    "for_",
    "preproc_include",
)


@dataclass(frozen=True, slots=True)
class Pair:
    """What a developer wrote about a piece of code, and the code without it."""

    language: str
    path: str
    qualified: str
    doc: str
    body: str


def language_of(path: str) -> str:
    """The grammar for a file, "" where none applies."""
    return "" if path.endswith(".d.ts") else _ENDINGS.get(PurePosixPath(path).suffix.lower(), "")


@dataclass(frozen=True, slots=True)
class DocumentedCode:
    """A pair and where it stands, in bytes of its file: what was written about the code, and the code with or without it."""

    pair: Pair
    docs: tuple[tuple[int, int], ...]
    code: tuple[int, int]


def extract(path: str, source: bytes) -> list[Pair]:
    """The pairs of one file, in order; broken code gives what its whole parts hold."""
    return [found.pair for found in documented(path, source)]


def documented(path: str, source: bytes) -> list[DocumentedCode]:
    """The same with their places."""
    from tree_sitter import Parser, QueryCursor

    language = language_of(path)
    grammar, query = _grammar(language)
    root = Parser(grammar).parse(source).root_node
    # Captures come in any order, another one each time.
    captures = {
        k: sorted(nodes, key=lambda node: node.start_byte) for k, nodes in QueryCursor(query).captures(root).items()
    }
    shown = "typescript" if language == "tsx" else language
    pairs = []
    for doc, body, node, parts in _documented(captures, source, language):
        text, code = clean_doc(doc), body.strip("\n")
        if not text or len(code) < MIN_BODY_CHARS or (code.count("\n") < 1 and len(code) < 80):
            continue
        name = _name(node, source)
        if name:
            pair = Pair(shown, path, _qualified(node, name, source), text, code[:MAX_BODY_CHARS])
            spans = tuple((part.start_byte, part.end_byte) for part in parts)
            pairs.append(DocumentedCode(pair, spans, (node.start_byte, node.end_byte)))
        if len(pairs) >= MAX_PAIRS_PER_FILE:
            break
    return pairs


@dataclass(frozen=True, slots=True)
class Function:
    path: str
    name: str
    qualified: str
    code: str
    lines: tuple[int, int] = (0, 0)  # first and last, from 1


def functions(path: str, source: bytes) -> Iterator[Function]:
    """The named functions and methods of one file, documented or not, in order; an outer one before those in it."""
    from tree_sitter import Parser, QueryCursor

    language = language_of(path)
    root = Parser(_grammar(language)[0]).parse(source).root_node
    nodes = [node for found in QueryCursor(_function_query(language)).captures(root).values() for node in found]
    for node in sorted(nodes, key=lambda node: (node.start_byte, -node.end_byte)):
        name = _name(node, source)
        if name:
            lines = (node.start_point.row + 1, node.end_point.row + 1)
            yield Function(path, name, _qualified(node, name, source), _code(node, source), lines)


@cache
def _function_query(language: str) -> Query:
    from tree_sitter import Query

    grammar = _grammar(language)[0]
    ids = [i for i in range(grammar.node_kind_count) if grammar.node_kind_is_named(i)]
    kinds = sorted({kind for kind in map(grammar.node_kind_for_id, ids) if kind and _FUNCTION.match(kind)})
    query: Query = Query(grammar, "[" + " ".join(f"({kind})" for kind in kinds) + "] @function" if kinds else "")
    return query


@cache
def _grammar(language: str) -> tuple[Language, Query]:
    from tree_sitter import Language, Query

    module, function = _GRAMMARS[language]
    grammar = Language(getattr(importlib.import_module(module), function)())
    if language == "python":
        docstring = "body: (block . (expression_statement (string) @doc)))"
        return grammar, Query(grammar, f"(function_definition {docstring} (class_definition {docstring}")
    if language == "elixir":
        return grammar, Query(grammar, "(unary_operator operand: (call (arguments (string) @doc))) @attribute")
    kinds = {grammar.node_kind_for_id(i) for i in range(grammar.node_kind_count) if grammar.node_kind_is_named(i)}
    comments = sorted(
        k
        for k in kinds
        if k and (k.endswith("comment") or k == "haddock") and not k.startswith(("html", "xml", "doc_"))
    )
    return grammar, Query(grammar, "[" + " ".join(f"({kind})" for kind in comments) + "] @doc")


def _documented(captures: dict[str, list[Node]], source: bytes, language: str) -> Iterator[Found]:
    """(raw documentation, code, defining node, nodes of the documentation)."""
    if language == "python":
        return _docstrings(captures.get("doc", []), source)
    if language == "elixir":
        return _elixir_docs(captures.get("attribute", []), source)
    return _leading_comments(captures.get("doc", []), source)


def _docstrings(strings: list[Node], source: bytes) -> Iterator[Found]:
    for string in strings:
        block = string.parent and string.parent.parent
        node = block and block.parent
        if node is None or string.parent is None:
            continue
        outer = node.parent if node.parent is not None and node.parent.type == "decorated_definition" else node
        end = min(outer.end_byte, outer.start_byte + 4 * MAX_BODY_CHARS + len(string.text or b""))
        code = source[outer.start_byte : string.start_byte].rstrip() + source[string.end_byte : end]
        doc = _text(string, source).lstrip("rRuUbBfF").strip("\"'")
        yield doc, _dedented(code.decode("utf-8", "replace"), outer.start_point[1]), node, [string]


def _elixir_docs(attributes: list[Node], source: bytes) -> Iterator[Found]:
    for attribute in attributes:
        text = _text(attribute, source)
        if not text.startswith("@doc"):
            continue
        node = attribute.next_named_sibling
        while node is not None and node.type in ("unary_operator", "comment"):  # @spec, @since
            node = node.next_named_sibling
        if node is not None and node.type == "call":
            doc = text.removeprefix("@doc").strip().lstrip("~sS").strip('"')
            yield doc, _code(node, source), node, [attribute]


def _leading_comments(comments: list[Node], source: bytes) -> Iterator[Found]:
    """Runs of comments on neighbouring lines, with the definition on the line after."""
    run: list[Node] = []
    for comment in comments:
        if run and not _follows(run[-1], comment):
            run = []
        run.append(comment)
        node = comment.next_named_sibling
        if node is not None and node.type in ("comment", "line_comment", "block_comment") and _follows(comment, node):
            continue
        while node is not None and node.type in _SKIPPED_BETWEEN:
            node = node.next_named_sibling
        if node is not None and node.type in _BODIES and node.named_children:
            node = node.named_children[0]
        if node is None or node.type.startswith(_PLAIN_STATEMENTS) or node.start_point[0] - _last_row(comment) > 6:
            continue
        doc = "\n".join(_text(part, source) for part in run)
        yield doc, _code(node, source), node, run
        run = []


def _last_row(node: Node) -> int:
    """Row of the last character; some grammars count the newline as the comment's."""
    return node.end_point[0] - (node.end_point[1] == 0)


def _follows(first: Node, second: Node) -> bool:
    return second.start_point[0] - _last_row(first) <= 1


def _text(node: Node, source: bytes) -> str:
    return source[node.start_byte : node.end_byte].decode("utf-8", "replace")


def _code(node: Node, source: bytes) -> str:
    """The node's source; in Haskell a signature goes on with the equations of the same name."""
    last = node
    if node.type == "signature":
        name = _name(node, source)
        following = node.next_named_sibling
        while following is not None and following.type in ("function", "bind") and _name(following, source) == name:
            last, following = following, following.next_named_sibling
    end = min(last.end_byte, node.start_byte + 4 * MAX_BODY_CHARS)
    return _dedented(source[node.start_byte : end].decode("utf-8", "replace"), node.start_point[1])


def _dedented(code: str, column: int) -> str:
    """Without the indentation of the place where it stood."""
    first, *rest = code.split("\n")
    return "\n".join([first, *(line[column:] if not line[:column].strip() else line for line in rest)])


def _name(node: Node, source: bytes, depth: int = 0) -> str:
    """The name that a node defines, "" for one that defines none."""
    named = node.child_by_field_name("name")
    if named is not None:
        return _last_part(_text(named, source))
    inner = _inner(node)
    if inner is not None:
        return _name(inner, source, depth + 1) if depth < _MAX_NESTING else ""
    if node.type == "call":  # Elixir's def name(…)
        return _elixir_name(node, source)
    if "identifier" in node.type or node.type in _NAME_NODES:
        return _last_part(_text(node, source)) if depth else ""
    return _first_identifier(node, source)


def _inner(node: Node) -> Node | None:
    """The part of a declaration that holds the name, where there is one."""
    for field in ("declarator", "declaration", "definition", "left"):
        found = node.child_by_field_name(field)
        if found is not None:
            return found
    children = node.named_children if node.type in _TRANSPARENT or node.type in _DECLARATORS else []
    if not children:
        return None
    return children[-1] if node.type in _DECLARATORS or node.type == "template_declaration" else children[0]


def _first_identifier(node: Node, source: bytes) -> str:
    """Kotlin, Swift and Scala declarations hold the name as their first identifier child."""
    if not node.type.endswith(("declaration", "definition", "signature")):
        return ""
    found = next((child for child in node.named_children if child.type.endswith("identifier")), None)
    return _text(found, source) if found is not None else ""


def _elixir_name(node: Node, source: bytes) -> str:
    target = node.child_by_field_name("target")
    if target is None or not _text(target, source).startswith(("def", "macro")):
        return ""
    signature = _FIRST_NAME.match(_text(node, source)[:200])
    return _last_part(signature[1]) if signature else ""


def _last_part(name: str) -> str:
    """'map' of 'Array.prototype.map' and of 'ns::list<T>::map'."""
    plain = name.split("<", maxsplit=1)[0] if not name.startswith("operator") else name
    part = plain.replace("::", ".").replace(":", ".").split(".")[-1].strip()
    return part if 0 < len(part) <= 80 and "\n" not in part else ""


def _qualified(node: Node, name: str, source: bytes) -> str:
    """Scope and name joined by dots, at most two names of scope."""
    scopes: list[str] = []
    parent = node.parent
    while parent is not None and len(scopes) < 2:
        if parent.type not in _NO_SCOPE:
            named = parent.child_by_field_name("name") or (
                parent.child_by_field_name("type") if parent.type == "impl_item" else None
            )
            if named is not None and "declarator" not in parent.type:
                scopes.append(_last_part(_text(named, source)))
        parent = parent.parent
    return ".".join([*(s for s in reversed(scopes) if s and s != name), name])
