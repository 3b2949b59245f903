"""The names of definitions in C, C++ and Objective-C, which sit inside nested declarators or arguments of macros."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from retrieval.chunking.c_macros import GROUPED, GROUPED_TYPE, PLAIN_TYPE
from retrieval.chunking.definition import Definition, split_name, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_DECLARATORS = frozenset(
    {
        "pointer_declarator", "function_declarator", "array_declarator", "parenthesized_declarator", "init_declarator",
        "reference_declarator", "attributed_declarator", "template_function",
    }
)  # fmt: skip
_NAMES = frozenset({"identifier", "field_identifier", "type_identifier", "destructor_name", "operator_name"})
_MACRO = re.compile(r"_?[A-Z0-9_]+")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_PROGRAMS = ("_PROG", "_FUNC", "_FN", "PROBE", "KPROBE")  # `int BPF_PROG(name, …)`
_C_WORDS = frozenset(
    "namespace switch if for while do return else case class struct union enum public private protected extern".split()
)


def c_declared(node: Node, role: str) -> Definition | None:
    """C and C++: the name sits inside nested declarators; a typedef of a body is the class it names."""
    declarator = node.child_by_field_name("declarator")
    if role == "prototype" and not _declares_function(declarator):
        return None
    inner = node
    declared_type = node.child_by_field_name("type")
    if (
        declared_type is not None
        and declared_type.child_by_field_name("body") is not None
        and node.type != "function_definition"
    ):
        role = "class"
        inner = declared_type
        tag = text_of(declared_type.child_by_field_name("name"))
        if tag:
            return Definition(role, tag, "", inner)
    while declarator is not None and declarator.type in _DECLARATORS:
        deeper = declarator.child_by_field_name("declarator")
        if deeper is None:
            deeper = next((c for c in declarator.named_children if c.type in _DECLARATORS or c.type in _NAMES), None)
            deeper = deeper or next((c for c in declarator.named_children if c.type == "qualified_identifier"), None)
        declarator = deeper
    if declarator is None:
        return None
    scope, name = split_name(text_of(declarator))
    if name.startswith("operator") and not name.startswith("operator("):
        name = name.partition("(")[0].rstrip()  # `operator bool() const`
    if name in _C_WORDS:  # produced by an unknown macro: only its content is useful
        return Definition("scope", "", "", node) if node.type == "function_definition" else None
    if node.type == "function_definition" and _MACRO.fullmatch(name):
        scope, name = _in_arguments(node, scope, name)
    return Definition(role, name, scope, inner)


def _declares_function(declarator: Node | None) -> bool:
    while declarator is not None and declarator.type in ("pointer_declarator", "reference_declarator"):
        declarator = declarator.named_children[-1] if declarator.named_child_count else None
    return declarator is not None and declarator.type == "function_declarator"


def _in_arguments(node: Node, scope: str, macro: str) -> tuple[str, str]:
    """Scope and name of what a macro defines: `TEST(A, B) {` -> (A, B), `SYSCALL_DEFINE3(read, …) {` -> read."""
    declarator = node.child_by_field_name("declarator")
    while declarator is not None and declarator.type in _DECLARATORS and declarator.type != "function_declarator":
        declarator = declarator.child_by_field_name("declarator")
    parameters = declarator.child_by_field_name("parameters") if declarator is not None else None
    result = text_of(node.child_by_field_name("type"))
    if parameters is None or (result not in ("", PLAIN_TYPE, GROUPED_TYPE) and not macro.endswith(_PROGRAMS)):
        return scope, macro
    names = [text_of(parameter) for parameter in parameters.named_children[:3] if parameter.type != "comment"]
    if not names or not _IDENTIFIER.fullmatch(names[0]):
        return scope, macro
    if len(names) == 2 and _IDENTIFIER.fullmatch(names[1]) and (result == GROUPED_TYPE or GROUPED.search(macro)):
        return names[0], names[1]
    return scope, names[0]
