"""What a node defines: its role, name and enclosing scope."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from retrieval.chunking.c_symbols import c_declared
from retrieval.chunking.definition import Definition, split_name, text_of
from retrieval.chunking.grammar import Grammar

if TYPE_CHECKING:
    from tree_sitter import Node

_RECEIVER = re.compile(r"([A-Za-z_]\w*)\s*(?:\[[^\]]*\])?\s*\)$")
_ASSIGNABLE = re.compile(r"#?[\w$'\"-]+(?:(?:\.|->|::|:)#?[\w$]+)*")
_BETWEEN_NAMES = re.compile(r"\.|->|::|:")
_ELIXIR = {
    "defmodule": "class", "defprotocol": "class", "defimpl": "class", "def": "function", "defp": "function",
    "defmacro": "function", "defmacrop": "function", "defguard": "variable", "defguardp": "variable",
    "defdelegate": "variable", "test": "function", "describe": "scope",
}  # fmt: skip
LONG_ARGUMENT = 200  # minimum size of a function argument that defines the result of a call
_WRAPPED = 4  # levels of wrappers: export, declaration, declarator, parentheses


def definition(node: Node, grammar: Grammar, levels: int = _WRAPPED) -> Definition | None:
    """What `node` defines, looking through wrappers; None for statements."""
    role = grammar.roles.get(node.type)
    if role is None or role in ("leading", "continued"):
        return None
    if role == "package":  # without a block it names what follows
        has_block = any(child.type == "block" for child in node.named_children)
        return _named(node, "class", grammar) if has_block else None
    if role == "wrapper":
        if grammar.module == "tree_sitter_elixir":
            return _elixir(node)
        return _wrapped(node, grammar, levels)
    if role == "valued":
        return _valued(node, grammar)
    return _named(node, role, grammar)


def _wrapped(node: Node, grammar: Grammar, levels: int) -> Definition | None:
    match: Definition | None = None
    for child in node.named_children:
        if child.type in grammar.function_values:
            return Definition("function", text_of(child.child_by_field_name("name")), "", child)
        inner = definition(child, grammar, levels - 1) if levels else None
        if inner is not None:
            if match is not None:
                return None  # a group of several: each is handled separately
            match = inner
    return match


def _named(node: Node, role: str, grammar: Grammar) -> Definition | None:  # noqa: PLR0911 - one for each kind of name
    kind = node.type
    if kind in _NEEDS_BODY and node.child_by_field_name("body") is None:
        return None  # `struct tm` as a type, `mod x;`, `namespace A;`
    if kind in grammar.heads or (grammar.module, kind) in _BY_CALLS:
        return _headed(node, role, grammar)
    if kind in ("singleton_class", "extension_definition"):
        return Definition(role, "", "", node)
    if kind in _C_DECLARED and grammar.module in _C_FAMILY:
        return c_declared(node, role)
    named = None if kind in _FALLBACKS else node.child_by_field_name(grammar.names.get(kind, "name"))
    name = text_of(named) if named is not None else _fallback_name(node)
    if grammar.module in _DOTTED:
        return Definition(role, name.strip("\"'"), "", node)
    if grammar.module == "tree_sitter_go":
        return Definition(role, name, _receiver(node), node)
    is_type = role == "impl" or (role == "class" and grammar.module in _C_FAMILY)  # `struct hash<Basket>` is a hash
    scope, name = split_name(name.partition("<")[0] if is_type else name.strip("\"'"))
    return Definition(role, name, scope, node)


def _headed(node: Node, role: str, grammar: Grammar) -> Definition | None:
    """A definition whose name is in a head of its own, as `f` in Julia's `function f(x)`."""
    if grammar.module == "tree_sitter_hcl":
        return _hcl(node, role)
    if grammar.module == "tree_sitter_starlark":
        return _starlark(node, role)
    head = node
    for kinds in grammar.heads[node.type]:
        inner = next((child for child in head.named_children if child.type in kinds.split()), None)
        if inner is None:
            return None
        head = inner
    name = _END_OF_NAME.split(text_of(head).lstrip("*"), maxsplit=1)[0]
    scope, symbol = split_name(name)
    if node.type == "member_defn":
        scope = ""  # F#: the name of the object, `this` in `member this.Go`
    return Definition(role, symbol, scope, node) if symbol else None


def _hcl(node: Node, role: str) -> Definition | None:
    """`resource "aws_instance" "web"` is addressed as aws_instance.web, `data "a" "b"` as data.a.b, `module "m"` as module.m."""
    words = []
    for child in node.named_children:
        if child.type not in ("identifier", "string_lit"):
            break
        words.append(text_of(child).strip('"'))
    is_nested = node.parent is not None and node.parent.parent is not None and node.parent.parent.type == "block"
    if not words or (len(words) == 1 and is_nested):
        return None  # `lifecycle {` within a resource
    scope = words[1:-1] if words[0] == "resource" and len(words) > 2 else words[:-1]
    return Definition(role, words[-1], ".".join(scope), node)


def _starlark(node: Node, role: str) -> Definition | None:
    """`cc_library(name = "x")`: a target called x."""
    arguments = node.child_by_field_name("arguments")
    for argument in arguments.named_children[:20] if arguments is not None else ():
        if argument.type == "keyword_argument" and text_of(argument.child_by_field_name("name")) == "name":
            name = text_of(argument.child_by_field_name("value")).strip("\"'")
            return Definition(role, name, text_of(node.child_by_field_name("function")), node) if name else None
    return None


def _receiver(node: Node) -> str:
    """The type of a Go method's receiver: `(m *Mux[T])` -> "Mux"."""
    match = _RECEIVER.search(text_of(node.child_by_field_name("receiver")))
    return match[1] if match else ""


_NEEDS_BODY = frozenset(
    "struct_specifier enum_specifier union_specifier class_specifier "
    "mod_item namespace_definition package_clause".split()
)
_C_FAMILY = ("tree_sitter_c", "tree_sitter_cpp", "tree_sitter_objc", "tree_sitter_glsl")
_BY_CALLS = frozenset({("tree_sitter_hcl", "block"), ("tree_sitter_starlark", "call")})
_END_OF_NAME = re.compile(r"[\s({<,=\[]")
_DOTTED = ("tree_sitter_toml", "tree_sitter_yaml", "tree_sitter_json")  # a dot in a key is part of it
_C_DECLARED = frozenset({"function_definition", "declaration", "type_definition", "field_declaration"})
_FALLBACKS = {
    "companion_object": "", "init_declaration": "init", "deinit_declaration": "deinit",
    "subscript_declaration": "subscript", "secondary_constructor": "constructor", "indexer_declaration": "this",
    "constructor_definition": "constructor", "fallback_receive_definition": "receive",
}  # fmt: skip


def _fallback_name(node: Node) -> str:
    """A name where the grammar has no field for it: the first thing that looks like one."""
    if node.type in _FALLBACKS:
        return _FALLBACKS[node.type]
    for child in node.named_children:
        kind = child.type
        if kind.endswith(("identifier", "_key", "name")) or kind in ("word", "constant", "name", "operator"):
            return text_of(child)
        if kind in ("infix", "variable_declaration", "string", "prefix"):
            return text_of(child.child_by_field_name("operator")) or _fallback_name(child) or text_of(child).strip('"')
    return ""


def _valued(node: Node, grammar: Grammar) -> Definition | None:
    """A name with a value: a function or class where the value is one, else a variable."""
    kind = node.type
    if grammar.module == "tree_sitter_zig":
        name = next((child for child in node.named_children if child.type == "identifier"), None)
        value = node.named_children[-1] if node.named_child_count else None
    elif grammar.module == "tree_sitter_lua" and kind != "field":
        name, value = _lua_assigned(node)
    else:
        holder: Node | None = node
        if kind in ("lexical_declaration", "variable_declaration"):
            declarators = [child for child in node.named_children if child.type == "variable_declarator"]
            holder = declarators[0] if len(declarators) == 1 else None
        if holder is None:
            return None
        name_field, value_field = grammar.fields[kind]
        name, value = holder.child_by_field_name(name_field), holder.child_by_field_name(value_field)
    if name is None:
        return None
    while value is not None and value.type == kind == "assignment_expression":  # a = exports.b = function …
        value = value.child_by_field_name("right")
    role = _value_role(value, grammar)
    if role == "variable" and kind in ("pair", "field", "field_definition", "public_field_definition"):
        return None
    if role == "variable" and grammar.module == "tree_sitter_ocaml" and _has_parameter(node):
        role = "function"
    scope, symbol = _assigned_name(text_of(name))
    return Definition(role, symbol, scope, (value or node) if role != "variable" else node) if symbol else None


def _value_role(value: Node | None, grammar: Grammar) -> str:
    if value is None:
        return "variable"
    if value.type in grammar.function_values:
        return "function"
    if value.type in grammar.class_values:
        return "class"
    if value.type == "call_expression" and grammar.function_values:
        # memo(() => …), define("name", function …): the function is what the name stands for
        arguments = value.child_by_field_name("arguments")
        for argument in arguments.named_children if arguments is not None else ():
            long = argument.end_byte - argument.start_byte >= LONG_ARGUMENT
            if argument.type in grammar.function_values and long:
                return "function"
    return "variable"


def _has_parameter(node: Node) -> bool:
    return any(child.type == "parameter" for child in node.named_children)


def _lua_assigned(node: Node) -> tuple[Node | None, Node | None]:
    statement = node
    if node.type == "variable_declaration":
        statement = next((child for child in node.named_children if child.type == "assignment_statement"), node)
    lists = statement.named_children
    if len(lists) != 2 or lists[0].named_child_count != 1 or not lists[1].named_child_count:
        return None, None
    return lists[0].named_children[0], lists[1].named_children[0]


def _assigned_name(target: str) -> tuple[str, str]:
    """The scope and symbol of an assignment's left side; ("", "") for patterns, indices and calls."""
    plain = target.lstrip("$@")
    if not _ASSIGNABLE.fullmatch(plain):
        return "", ""
    parts = [part for part in _BETWEEN_NAMES.split(plain.strip("'\"")) if part]
    symbol = parts[-1]
    if symbol == "exports":
        return "", ""
    outer = [part for part in parts[:-1] if part not in ("exports", "module", "prototype", "this", "self", "window")]
    return ".".join(outer), symbol


def _elixir(node: Node) -> Definition | None:
    """`defmodule A.B do`, `def go(x) when … do`: definitions are calls of macros."""
    role = _ELIXIR.get(text_of(node.child_by_field_name("target")))
    arguments = next((child for child in node.named_children if child.type == "arguments"), None)
    if role is None or arguments is None or not arguments.named_child_count:
        return None
    head = arguments.named_children[0]
    if head.type == "binary_operator" and role == "function":
        head = head.child_by_field_name("left") or head  # the guard behind "when"
    if head.type == "call":
        head = head.child_by_field_name("target") or head
    name = text_of(head).strip('"')
    scope, symbol = split_name(name) if role == "class" else ("", name)
    return Definition(role, symbol, scope, node)
