"""The node types of further grammars; see grammars.py for what the roles mean.

Chosen among the wheels that carry a compiled grammar for Linux, macOS and Windows, have a permissive licence and had a release
in the last two years. Languages that are missing here have no such wheel (R, Erlang, Clojure, Protocol Buffers, GraphQL, Vue),
only one that is no better than the patterns (SQL, Groovy, Make, SCSS, Dockerfile), one that is not permissively licensed
(Pascal), or one that never returns from some texts (Perl 2.0.3: `<<E`, a line break, `@i`). F# and SystemVerilog take 38 MB:
the extra `grammars` brings them.
"""

from __future__ import annotations

from retrieval.chunking.grammar import Grammar, roles

_C = {
    "function": "function_definition",
    "class": "struct_specifier enum_specifier union_specifier",
    "variable": "declaration type_definition preproc_function_def preproc_def",
    "leading": "comment",
}

MORE_GRAMMARS: dict[str, Grammar] = {
    "ada": Grammar(
        "tree_sitter_ada",
        roles(
            function="subprogram_body subprogram_declaration expression_function_declaration entry_body task_body",
            **{
                "class": "package_body package_declaration generic_package_declaration full_type_declaration "
                "protected_type_declaration protected_body"
            },
            wrapper="compilation_unit",
            leading="comment",
        ),
        heads={
            "subprogram_body": ("function_specification procedure_specification", "identifier selected_component"),
            "subprogram_declaration": ("function_specification procedure_specification", "identifier selected_component"),
            "expression_function_declaration": ("function_specification", "identifier selected_component"),
        },
    ),
    "dart": Grammar(
        "tree_sitter_dart",
        roles(
            function="function_signature getter_signature setter_signature method_signature",
            **{"class": "class_definition mixin_declaration enum_declaration extension_declaration extension_type_declaration"},
            wrapper="declaration",
            variable="type_alias constructor_signature constant_constructor_signature redirecting_factory_constructor_signature",
            leading="comment documentation_comment annotation",
            continued="function_body",
        ),
        heads={
            "method_signature": (
                "function_signature getter_signature setter_signature operator_signature constructor_signature "
                "factory_constructor_signature",
                "identifier operator binary_operator",
            ),
            "type_alias": ("type_identifier",),
        },
        continues=True,
    ),
    "fortran": Grammar(
        "tree_sitter_fortran",
        roles(
            function="function subroutine program module_procedure",
            **{"class": "module submodule derived_type_definition interface"},
            leading="comment",
        ),
        heads={
            "function": ("function_statement", "name"),
            "subroutine": ("subroutine_statement", "name"),
            "program": ("program_statement", "name"),
            "module_procedure": ("module_procedure_statement", "name"),
            "module": ("module_statement", "name"),
            "submodule": ("submodule_statement", "name"),
            "derived_type_definition": ("derived_type_statement", "type_name"),
            "interface": ("interface_statement", "name"),
        },
    ),
    "fsharp": Grammar(
        "tree_sitter_fsharp",
        roles(
            function="member_defn function_or_value_defn",
            **{"class": "module_defn record_type_defn union_type_defn anon_type_defn enum_type_defn interface_type_defn"},
            scope="named_module namespace",
            wrapper="declaration_expression type_definition",
            leading="line_comment block_comment xml_doc attributes",
        ),
        heads={
            "module_defn": ("identifier",),
            "function_or_value_defn": ("function_declaration_left", "identifier active_pattern op_identifier"),
            "member_defn": ("method_or_prop_defn", "property_or_ident"),
            "record_type_defn": ("type_name", "identifier"),
            "union_type_defn": ("type_name", "identifier"),
            "anon_type_defn": ("type_name", "identifier"),
            "enum_type_defn": ("type_name", "identifier"),
            "interface_type_defn": ("type_name", "identifier"),
        },
        bodies=frozenset({"type_extension_elements"}),
        comments_inside=True,
        extra="grammars",
    ),
    "gdscript": Grammar(
        "tree_sitter_gdscript",
        roles(
            function="function_definition constructor_definition",
            **{"class": "class_definition enum_definition"},
            variable="const_statement variable_statement signal_statement",
            package="class_name_statement",
            leading="comment annotations annotation",
        ),
    ),
    "glsl": Grammar("tree_sitter_glsl", roles(**_C)),
    "hcl": Grammar("tree_sitter_hcl", roles(leading="comment", **{"class": "block"}), bodies=frozenset({"body"})),
    "julia": Grammar(
        "tree_sitter_julia",
        roles(
            function="function_definition macro_definition assignment",
            **{"class": "module_definition struct_definition abstract_definition primitive_definition"},
            wrapper="const_statement",
            leading="line_comment block_comment string_literal",
        ),
        heads={
            "function_definition": ("signature",),
            "macro_definition": ("signature",),
            "assignment": ("call_expression typed_expression where_expression",),
            "struct_definition": ("type_head",),
            "abstract_definition": ("type_head",),
            "primitive_definition": ("type_head",),
        },
    ),
    "matlab": Grammar(
        "tree_sitter_matlab",
        roles(
            function="function_definition function_signature", **{"class": "class_definition"}, leading="comment"
        ),
    ),
    "nix": Grammar(
        "tree_sitter_nix",
        roles(valued="binding", leading="comment"),
        function_values=frozenset({"function_expression"}),
        fields={"binding": ("attrpath", "expression")},
        bodies=frozenset("function_expression let_expression binding_set attrset_expression rec_attrset_expression "
            "apply_expression".split()),
    ),
    "objc": Grammar(
        "tree_sitter_objc",
        roles(
            function=_C["function"] + " method_definition method_declaration",
            **{
                "class": _C["class"]
                + " class_interface class_implementation category_interface category_implementation protocol_declaration"
            },
            variable=_C["variable"] + " property_declaration",
            wrapper="implementation_definition",
            leading="comment",
        ),
        heads={
            "property_declaration": ("struct_declaration", "struct_declarator"),
        },
    ),
    "ocaml": Grammar(
        "tree_sitter_ocaml",
        roles(
            function="method_definition",
            **{"class": "type_binding module_binding module_type_definition class_binding"},
            wrapper="value_definition type_definition module_definition class_definition",
            valued="let_binding",
            variable="value_specification exception_definition external",
            leading="comment attribute",
        ),
        loader="language_ocaml",
        function_values=frozenset({"fun_expression", "function_expression"}),
        fields={"let_binding": ("pattern", "body")},
        heads={"exception_definition": ("constructor_declaration", "constructor_name")},
    ),
    "odin": Grammar(
        "tree_sitter_odin",
        roles(
            function="procedure_declaration overloaded_procedure_declaration",
            **{"class": "struct_declaration enum_declaration union_declaration bit_field_declaration"},
            variable="const_declaration variable_declaration",
            leading="comment block_comment attributes",
        ),
    ),
    "powershell": Grammar(
        "tree_sitter_powershell",
        roles(
            function="function_statement class_method_definition",
            **{"class": "class_statement enum_statement"},
            leading="comment",
        ),
        bodies=frozenset({"statement_list"}),
    ),
    "solidity": Grammar(
        "tree_sitter_solidity",
        roles(
            function="function_definition modifier_definition constructor_definition fallback_receive_definition",
            **{"class": "contract_declaration interface_declaration library_declaration struct_declaration enum_declaration"},
            variable="state_variable_declaration user_defined_type_definition constant_variable_declaration",
            prototype="event_definition error_declaration",
            leading="comment",
        ),
    ),
    "starlark": Grammar(
        "tree_sitter_starlark",
        roles(
            function="function_definition", valued="assignment", variable="call", wrapper="expression_statement",
            leading="comment",
        ),
        function_values=frozenset({"lambda"}),
        fields={"assignment": ("left", "right")},
    ),
    "verilog": Grammar(
        "tree_sitter_systemverilog",
        roles(
            function="function_declaration task_declaration",
            **{"class": "module_declaration class_declaration interface_declaration package_declaration program_declaration"},
            leading="one_line_comment block_comment comment",
        ),
        heads={
            "function_declaration": ("function_body_declaration", "simple_identifier"),
            "task_declaration": ("task_body_declaration", "simple_identifier"),
            "module_declaration": ("module_ansi_header module_nonansi_header", "simple_identifier"),
            "interface_declaration": ("interface_ansi_header interface_nonansi_header", "simple_identifier"),
            "program_declaration": ("program_ansi_header program_nonansi_header", "simple_identifier"),
        },
        extra="grammars",
    ),
    "vhdl": Grammar(
        "tree_sitter_vhdl",
        roles(
            function="subprogram_definition subprogram_declaration process_statement",
            **{"class": "entity_declaration architecture_definition package_declaration package_definition"},
            wrapper="design_unit",
            leading="line_comment block_comment",
        ),
        names={
            "entity_declaration": "entity", "architecture_definition": "architecture", "package_declaration": "package",
            "package_definition": "package",
        },
        heads={
            "subprogram_definition": ("function_specification procedure_specification", "identifier operator_symbol"),
            "subprogram_declaration": ("function_specification procedure_specification", "identifier operator_symbol"),
            "process_statement": ("label_declaration",),
        },
        bodies=frozenset({"concurrent_block", "architecture_head"}),
    ),
}  # fmt: skip
