"""Files, functions, classes and parameter lists stay small enough to be read at once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAX_FILE_LINES = 450
MAX_FUNCTION_LINES = 60
MAX_PUBLIC_METHODS = 20  # properties included
MAX_PARAMETERS = 6
# Here a parameter is an option of a command, or an argument in the schema of a tool.
FREE_PARAMETERS = ("c2llm_lsp/cli/", "c2llm_lsp/mcp/")
ALLOWED: dict[str, str] = {}  # what is too large, as the messages below name it: why it may be

Function = ast.FunctionDef | ast.AsyncFunctionDef


def findings(path: str, source: str) -> Iterator[str]:
    lines = source.count("\n")
    if lines > MAX_FILE_LINES:
        yield f"{path}: {lines} lines"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function):
            yield from function_findings(path, node)
        elif isinstance(node, ast.ClassDef):
            methods = sum(isinstance(child, Function) and not child.name.startswith("_") for child in node.body)
            if methods > MAX_PUBLIC_METHODS:
                yield f"{path} {node.name}: {methods} public methods"


def function_findings(path: str, function: Function) -> Iterator[str]:
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if lines > MAX_FUNCTION_LINES:
        yield f"{path} {function.name}: {lines} lines"
    arguments = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
    count = sum(argument.arg not in ("self", "cls") for argument in arguments)
    if count > MAX_PARAMETERS and not path.startswith(FREE_PARAMETERS):
        yield f"{path} {function.name}: {count} parameters"


def test_nothing_is_larger_than_its_limit() -> None:
    found = {
        finding
        for package in ("c2llm_lsp", "retrieval")
        for file in sorted((ROOT / package).rglob("*.py"))
        for finding in findings(file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8"))
    }
    assert sorted(found - ALLOWED.keys()) == []
    assert sorted(ALLOWED.keys() - found) == [], "no longer too large: take it off the list"


def test_what_is_too_large_is_found() -> None:
    methods = "".join(f"    def m{number}(self): ...\n" for number in range(MAX_PUBLIC_METHODS + 1))
    parameters = ", ".join(f"p{number}" for number in range(MAX_PARAMETERS + 1))
    source = f"class Large:\n{methods}\ndef many({parameters}): ...\n\ndef long():\n" + "    pass\n" * MAX_FILE_LINES
    assert [finding.partition(": ")[0] for finding in findings("retrieval/x.py", source)] == [
        "retrieval/x.py",
        "retrieval/x.py Large",
        "retrieval/x.py many",
        "retrieval/x.py long",
    ]
    assert "many" not in " ".join(findings("c2llm_lsp/cli/x.py", source))
