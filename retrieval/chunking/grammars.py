"""The meaning of each grammar's node types, as data, and the grammars themselves, imported on first use.

A node type is a `function`, a `class`, an `impl` (members of a type that is defined elsewhere), a `scope` (names its
content and is no unit itself), a `variable` (a name with a value or a bare declaration), a `prototype` (a variable that is a
member of a type: a method without a body, an event), or a `wrapper` around one of these. `leading` types belong to what
follows, `continued` ones to the definition before. `valued` types give a name to a value: what they are depends on it. A
`package` names what follows it up to the end.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from retrieval.chunking.grammar import Grammar, roles
from retrieval.chunking.more_grammars import MORE_GRAMMARS

if TYPE_CHECKING:
    from tree_sitter import Language

_JS = {
    "function": "function_declaration generator_function_declaration method_definition",
    "class": "class_declaration",
    "wrapper": "export_statement expression_statement",
    "valued": "lexical_declaration variable_declaration assignment_expression pair field_definition",
    "leading": "comment decorator",
}
_JS_FUNCTIONS = frozenset({"arrow_function", "function_expression", "function", "generator_function"})
_JS_FIELDS = {
    "lexical_declaration": ("name", "value"),
    "variable_declaration": ("name", "value"),
    "assignment_expression": ("left", "right"),
    "pair": ("key", "value"),
    "field_definition": ("property", "value"),
    "public_field_definition": ("name", "value"),
}
_TS = {
    **_JS,
    "function": _JS["function"],
    "class": _JS["class"] + " abstract_class_declaration interface_declaration enum_declaration type_alias_declaration",
    "scope": "internal_module module",
    "prototype": "function_signature abstract_method_signature method_signature",
    "wrapper": _JS["wrapper"] + " ambient_declaration",
    "valued": _JS["valued"] + " public_field_definition",
}
_C = {
    "function": "function_definition",
    "class": "struct_specifier enum_specifier union_specifier",
    "variable": "declaration type_definition preproc_function_def preproc_def",
    "wrapper": "linkage_specification",
    "leading": "comment",
}
_CPP = {
    "function": _C["function"],
    "class": _C["class"] + " class_specifier",
    "scope": "namespace_definition",
    "variable": _C["variable"] + " alias_declaration concept_definition",
    "prototype": "field_declaration",
    "wrapper": _C["wrapper"] + " template_declaration",
    "leading": "comment access_specifier",
}
_C_BODIES = frozenset(
    "preproc_ifdef preproc_if preproc_else preproc_elif linkage_specification declaration_list".split()
)
_TYPES_ZIG = frozenset({"struct_declaration", "enum_declaration", "union_declaration", "opaque_declaration"})

GRAMMARS: dict[str, Grammar] = {
    "bash": Grammar(
        "tree_sitter_bash", roles(function="function_definition", variable="variable_assignment", leading="comment")
    ),
    "c": Grammar("tree_sitter_c", roles(**_C), bodies=_C_BODIES),
    "cpp": Grammar("tree_sitter_cpp", roles(**_CPP), class_values=frozenset({"class_specifier"}), bodies=_C_BODIES),
    "csharp": Grammar(
        "tree_sitter_c_sharp",
        roles(
            function="method_declaration constructor_declaration destructor_declaration operator_declaration "
            "conversion_operator_declaration indexer_declaration property_declaration event_declaration "
            "local_function_statement",
            **{
                "class": "class_declaration struct_declaration interface_declaration record_declaration "
                "enum_declaration"
            },
            scope="namespace_declaration",
            variable="delegate_declaration",
            wrapper="global_statement",
            leading="comment",
        ),
    ),
    "css": Grammar("tree_sitter_css", roles(leading="comment"), data=True),
    "elixir": Grammar("tree_sitter_elixir", roles(leading="comment unary_operator", wrapper="call"), clauses=True),
    "go": Grammar(
        "tree_sitter_go",
        roles(
            function="function_declaration method_declaration",
            **{"class": "type_spec type_alias"},
            variable="const_spec var_spec",
            prototype="method_elem method_spec",
            wrapper="type_declaration const_declaration var_declaration var_spec_list",
            leading="comment",
        ),
    ),
    "haskell": Grammar(
        "tree_sitter_haskell",
        roles(
            function="function bind",
            **{"class": "data_type newtype type_synonym class type_family"},
            impl="instance",
            leading="comment haddock signature pragma",
        ),
        bodies=frozenset({"declarations", "class_declarations", "instance_declarations"}),
        comments_inside=True,
        clauses=True,
    ),
    "html": Grammar("tree_sitter_html", roles(leading="comment"), data=True),
    "java": Grammar(
        "tree_sitter_java",
        roles(
            function="method_declaration constructor_declaration compact_constructor_declaration",
            **{
                "class": "class_declaration interface_declaration enum_declaration record_declaration "
                "annotation_type_declaration"
            },
            leading="line_comment block_comment",
        ),
    ),
    "javascript": Grammar(
        "tree_sitter_javascript",
        roles(**_JS),
        function_values=_JS_FUNCTIONS,
        class_values=frozenset({"class"}),
        fields=_JS_FIELDS,
    ),
    "json": Grammar("tree_sitter_json", roles(variable="pair"), names={"pair": "key"}, data=True),
    "kotlin": Grammar(
        "tree_sitter_kotlin",
        roles(
            function="function_declaration secondary_constructor",
            **{"class": "class_declaration object_declaration"},
            scope="companion_object",
            variable="property_declaration type_alias",
            leading="line_comment block_comment annotated_expression",
        ),
    ),
    "lua": Grammar(
        "tree_sitter_lua",
        roles(
            function="function_declaration", valued="assignment_statement variable_declaration field", leading="comment"
        ),
        function_values=frozenset({"function_definition"}),
        fields={"field": ("name", "value")},
    ),
    "php": Grammar(
        "tree_sitter_php",
        roles(
            function="function_definition method_declaration",
            **{"class": "class_declaration interface_declaration trait_declaration enum_declaration"},
            scope="namespace_definition",
            wrapper="expression_statement",
            valued="assignment_expression",
            leading="comment",
        ),
        loader="language_php",
        function_values=frozenset({"anonymous_function", "arrow_function"}),
        fields={"assignment_expression": ("left", "right")},
    ),
    "python": Grammar(
        "tree_sitter_python",
        roles(
            function="function_definition",
            **{"class": "class_definition"},
            wrapper="decorated_definition expression_statement",
            valued="assignment",
            variable="type_alias_statement",
            leading="comment",
        ),
        function_values=frozenset({"lambda"}),
        fields={"assignment": ("left", "right")},
        names={"type_alias_statement": "left"},
    ),
    "ruby": Grammar(
        "tree_sitter_ruby",
        roles(
            function="method singleton_method",
            **{"class": "class module"},
            scope="singleton_class",
            valued="assignment",
            leading="comment",
        ),
        fields={"assignment": ("left", "right")},
    ),
    "rust": Grammar(
        "tree_sitter_rust",
        roles(
            function="function_item macro_definition",
            **{"class": "struct_item enum_item union_item trait_item"},
            impl="impl_item",
            scope="mod_item",
            variable="type_item const_item static_item",
            prototype="function_signature_item",
            leading="line_comment block_comment attribute_item",
        ),
        names={"impl_item": "type"},
    ),
    "scala": Grammar(
        "tree_sitter_scala",
        roles(
            function="function_definition",
            **{"class": "class_definition object_definition trait_definition enum_definition given_definition"},
            scope="package_clause",
            wrapper="extension_definition",
            prototype="function_declaration",
            variable="val_definition var_definition type_definition",
            leading="comment block_comment",
        ),
        names={"val_definition": "pattern", "var_definition": "pattern"},
        bodies=frozenset({"extension_definition"}),
    ),
    "swift": Grammar(
        "tree_sitter_swift",
        roles(
            function="function_declaration init_declaration deinit_declaration subscript_declaration",
            **{"class": "class_declaration protocol_declaration"},
            variable="property_declaration typealias_declaration",
            prototype="protocol_function_declaration",
            leading="comment multiline_comment",
        ),
    ),
    "toml": Grammar("tree_sitter_toml", roles(variable="table table_array_element", leading="comment"), data=True),
    "tsx": Grammar(
        "tree_sitter_typescript",
        roles(**_TS),
        loader="language_tsx",
        function_values=_JS_FUNCTIONS,
        class_values=frozenset({"class"}),
        fields=_JS_FIELDS,
    ),
    "typescript": Grammar(
        "tree_sitter_typescript",
        roles(**_TS),
        loader="language_typescript",
        function_values=_JS_FUNCTIONS,
        class_values=frozenset({"class"}),
        fields=_JS_FIELDS,
    ),
    "yaml": Grammar(
        "tree_sitter_yaml",
        roles(variable="block_mapping_pair", leading="comment"),
        names={"block_mapping_pair": "key"},
        data=True,
    ),
    "zig": Grammar(
        "tree_sitter_zig",
        roles(function="function_declaration test_declaration", valued="variable_declaration", leading="comment"),
        class_values=_TYPES_ZIG,
    ),
}
GRAMMARS.update(MORE_GRAMMARS)
# Dialects; parsing.py replaces the words that their grammar does not know.
GRAMMARS["apex"] = GRAMMARS["java"]
GRAMMARS["opencl"] = GRAMMARS["c"]
PHP_CODE = "php_code"
# Of parts of files.
_PARTS = {PHP_CODE: replace(GRAMMARS["php"], loader="language_php_only")}  # what is between the tags


def grammar_of(language: str) -> Grammar | None:
    """What is known of a language's grammar, or of that of a part."""
    return GRAMMARS.get(language) or _PARTS.get(language)


@cache
def load(language: str) -> Language | None:
    """The compiled grammar; None if the language has none or its package is missing or incompatible."""
    grammar = grammar_of(language)
    if grammar is None:
        return None
    try:
        from tree_sitter import Language

        return Language(getattr(import_module(grammar.module), grammar.loader)())
    except Exception:  # a broken wheel can raise anything; fall back to patterns or line windows
        if not grammar.extra:
            _unavailable.append(language)
        return None


@cache
def version(language: str) -> str:
    """Of the parser and of a language's grammar."""
    from importlib import metadata  # a parse worker does not need it: a third of its start

    names = ["tree-sitter"]
    if language in GRAMMARS:
        names.append(GRAMMARS[language].module.replace("_", "-"))
    versions = []
    for name in names:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            versions.append(name)
    return ", ".join(versions)


_unavailable: list[str] = []


def notes() -> tuple[str, ...]:
    """One sentence for each grammar that could not be loaded so far."""
    return tuple(
        f"The grammar for {language} cannot be loaded; its files are cut into line windows "
        f"(pip install {GRAMMARS[language].module.replace('_', '-')})."
        for language in _unavailable
    )
