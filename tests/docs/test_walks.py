"""Each function that the walks of the documentation name is where they say it is."""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.pages import CHECKOUT

STEP = re.compile(r"^\| `([\w/]+\.py)` `([\w.]+)` \|", re.MULTILINE)
STEPS = STEP.findall((CHECKOUT / "docs" / "walks.md").read_text(encoding="utf-8"))
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def functions(path: str) -> set[str]:
    """Functions and methods of a module, with and without the name of their class."""
    whole, below_server = CHECKOUT / path, CHECKOUT / "c2llm_lsp" / "server" / path
    tree = ast.parse((whole if whole.exists() else below_server).read_text(encoding="utf-8"))
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    methods = {f"{one.name}.{node.name}" for one in classes for node in one.body if isinstance(node, FUNCTION)}
    return methods | {node.name for node in ast.walk(tree) if isinstance(node, FUNCTION)}


def test_there_are_walks() -> None:
    assert len(STEPS) > 20


@pytest.mark.parametrize(("path", "name"), STEPS, ids=[" ".join(step) for step in STEPS])
def test_a_step_of_a_walk_is_a_function(path: str, name: str) -> None:
    assert name in functions(path)
