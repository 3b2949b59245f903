"""Which nodes of each grammar are calls and imports, as data: patterns of tree-sitter's query language.

`@call` captures a node that ends with the name that is called, whatever is written before it (`self.items.add`); `@import`
captures a whole import. A language that is missing here defines names, and calls of them are found by their text.
"""

from __future__ import annotations

_C = "(call_expression function: [(identifier) (field_expression)] @call)"
_C_INCLUDE = " (preproc_include) @import"
_JS = """
    (call_expression function: [(identifier) (member_expression)] @call)
    (new_expression constructor: [(identifier) (member_expression)] @call)
    (import_statement) @import
    (export_statement source: (_)) @import
    ((variable_declarator value: (call_expression function: (identifier) @_require)) @import (#eq? @_require "require"))
"""
_JSX = """
    ((jsx_opening_element name: [(identifier) (member_expression)] @call) (#match? @call "^[A-Z]"))
    ((jsx_self_closing_element name: [(identifier) (member_expression)] @call) (#match? @call "^[A-Z]"))
"""
_JAVA = """
    (method_invocation name: (identifier) @call)
    (object_creation_expression type: (_) @call)
    (import_declaration) @import
"""

CALLS: dict[str, str] = {
    "ada": "(procedure_call_statement name: (_) @call) (function_call name: (_) @call)",
    "apex": _JAVA,
    "bash": "(command name: (command_name (word) @call))",
    "c": _C + _C_INCLUDE,
    "cpp": _C
    + _C_INCLUDE
    + """
    (call_expression function: [(qualified_identifier) (template_function)] @call)
    (new_expression type: (_) @call)
    """,
    "csharp": """
    (invocation_expression
        function: [(identifier) (generic_name) (member_access_expression) (conditional_access_expression)] @call)
    (object_creation_expression type: (_) @call)
    (using_directive) @import
    """,
    "dart": """
    ((identifier) @call . (selector (argument_part)))
    ((selector (unconditional_assignable_selector (identifier) @call)) . (selector (argument_part)))
    (library_import) @import
    """,
    "elixir": "(call target: [(identifier) (dot)] @call)",
    "fortran": "(subroutine_call subroutine: (_) @call)",
    "gdscript": "(call . (identifier) @call) (attribute_call . (identifier) @call)",
    "glsl": _C,
    "go": """
    (call_expression function: [(identifier) (selector_expression)] @call)
    (composite_literal type: [(type_identifier) (qualified_type)] @call)
    (import_spec) @import
    """,
    "haskell": "(apply function: (variable) @call)",
    "java": _JAVA,
    "javascript": _JS + _JSX,
    "julia": "(call_expression . [(identifier) (field_expression)] @call)",
    "kotlin": "(call_expression . [(identifier) (navigation_expression)] @call) (import) @import",
    "lua": """
    (function_call name: [(identifier) (dot_index_expression) (method_index_expression)] @call)
    ((variable_declaration (assignment_statement (expression_list
        value: (function_call name: (identifier) @_require)))) @import (#eq? @_require "require"))
    """,
    "matlab": "(function_call name: (identifier) @call)",
    "nix": "(apply_expression function: (variable_expression) @call)",
    "objc": _C + _C_INCLUDE + " (message_expression method: (identifier) @call)",
    "ocaml": "(application_expression function: (value_path) @call)",
    "odin": "(call_expression function: (identifier) @call)",
    "opencl": _C + _C_INCLUDE,
    "php": """
    (function_call_expression function: [(name) (qualified_name)] @call)
    (member_call_expression name: (name) @call)
    (nullsafe_member_call_expression name: (name) @call)
    (scoped_call_expression name: (name) @call)
    (object_creation_expression [(name) (qualified_name)] @call)
    (namespace_use_declaration) @import
    """,
    "powershell": "(command command_name: (command_name) @call) (invokation_expression (member_name) @call)",
    "python": """
    (call function: [(identifier) (attribute)] @call)
    (decorator [(identifier) (attribute)] @call)
    (import_statement) @import
    (import_from_statement) @import
    """,
    "ruby": "(call method: [(identifier) (constant)] @call)",
    "rust": """
    (call_expression function: [(identifier) (field_expression) (scoped_identifier)] @call)
    (call_expression function: (generic_function function: (_) @call))
    (macro_invocation macro: (_) @call)
    (struct_expression name: (_) @call)
    (use_declaration) @import
    """,
    "scala": """
    (call_expression function: [(identifier) (field_expression)] @call)
    (call_expression function: (generic_function function: (_) @call))
    (instance_expression (type_identifier) @call)
    (import_declaration) @import
    """,
    "solidity": "(call_expression function: (_) @call) (import_directive) @import",
    "starlark": "(call function: [(identifier) (attribute)] @call)",
    "swift": "(call_expression . [(simple_identifier) (navigation_expression)] @call) (import_declaration) @import",
    "tsx": _JS + _JSX,
    "typescript": _JS,
    "zig": "(call_expression function: [(identifier) (field_expression)] @call)",
}
CALLS["php_code"] = CALLS["php"]

# How the grammars without a field for it hold a function as a value: what defines a name. Patterns of `@definition`.
VALUED: dict[str, str] = {
    "elixir": '((call target: (identifier) @_def) @definition (#any-of? @_def "defmodule" "defprotocol" "defimpl" '
    '"def" "defp" "defmacro" "defmacrop"))',
    "lua": "(assignment_statement (expression_list value: (function_definition))) @definition",
    "ocaml": "(let_binding (parameter)) @definition",
    "zig": "(variable_declaration [(struct_declaration) (enum_declaration) (union_declaration)]) @definition",
}
# Names that read like calls and are none, or are imports.
NO_CALLS: dict[str, frozenset[str]] = {
    "elixir": frozenset(
        "def defp defmodule defmacro defmacrop defprotocol defimpl defstruct alias import require use".split()
    ),
    "lua": frozenset({"require"}),
    "ruby": frozenset("require require_relative include extend attr_reader attr_writer attr_accessor private".split()),
    "starlark": frozenset({"load"}),
}
# Languages in which a member of the own object is called with a receiver (`self.go()`): a bare name is no member.
EXPLICIT_RECEIVER = frozenset({"python", "javascript", "typescript", "tsx", "go", "rust", "lua", "php", "starlark"})
# Languages in which a bare name is defined in its file or imported: one that is neither is built in.
EXPLICIT_IMPORT = frozenset({"python", "typescript", "tsx", "starlark"})
# Languages in which the files of a folder see each other's names, and an import names the folder or a type in it.
FOLDER_PACKAGES = frozenset({"go", "java", "kotlin", "csharp", "scala", "swift", "php"})
