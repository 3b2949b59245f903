"""Tests wait for events: they do not sleep, do not loop until something happens, do not read the clock.

And each asserts something.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
CLOCKS = {"monotonic", "perf_counter", "process_time"}
# Benchmarks measure time, and a campaign has so much of it: that is what they are for.
FILES = sorted(path for path in TESTS.rglob("*.py") if not {"benchmarks", "campaign"} & {*path.parts})
# Where nothing can be waited for, with the reason.
ALLOWED = {
    ("editors/nvim.py", "until"): "what another program shows is seen by asking it; the clock only ends a failed test",
    ("web/chromium.py", "until"): "what a page shows is seen by asking it; the clock only ends a failed test",
    ("server/client.py", "eventually"): "an answer that changes without a message; the clock only ends a failed test",
    ("cli/program.py", "_drain"): "the clock only ends a failed test",
    (
        "cli/test_serve_embeddings.py",
        "test_what_is_under_way_when_it_is_told_to_stop_is_answered",
    ): "a port that closes tells nobody; each look is a connection",
    ("security/pattern_costs.py", "_seconds"): "how the CPU time of a pattern grows with its text is what is tested",
    ("server/fault_injection.py", "_encode_passages"): "held by a file that another process removes",
    ("server/fault_injection.py", "_obey"): "held by a file that another process removes",
    ("server/fault_injection.py", "client_event"): "held by a file that another process removes",
}


# What asserts by itself: pytest, numpy, torch, and the tests' clients, which fail where no answer comes.
ASSERTING = {"raises", "fail", "assert_allclose", "assert_array_equal", "assert_close"}
SILENT = {"test_watches_are_available_here": "raises where none is available"}


def own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """What is in a function, without what is in the functions inside of it."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from own_nodes(child)


def problems(tree: ast.AST) -> Iterator[tuple[str, int, str]]:
    """Function, line and what is wrong there."""
    scopes = [node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef)]
    for scope in scopes:
        name = getattr(scope, "name", "<module>")
        for node in own_nodes(scope):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called in ("time.sleep", "sleep"):
                yield name, node.lineno, "sleeps"
            elif called.rpartition(".")[2] in CLOCKS:
                yield name, node.lineno, "reads the clock"
            elif isinstance(node, ast.While) and _only_asks(node):
                yield name, node.lineno, "loops until something happens"


def _only_asks(loop: ast.While) -> bool:
    """Whether a loop does nothing but look; one that awaits what it looks at is woken."""
    waits = any(isinstance(node, ast.Await) for node in ast.walk(loop.test))
    return not waits and all(isinstance(step, ast.Pass) for step in loop.body)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_no_sleep_no_busy_wait_no_look_at_the_clock(path: Path) -> None:
    file = path.relative_to(TESTS).as_posix()
    found = [
        f"line {line}: {name} {what}"
        for name, line, what in problems(ast.parse(path.read_text(encoding="utf-8")))
        if (file, name) not in ALLOWED
    ]
    assert not found, f"{file}: hold the job, wait for an event, or count: {found}"


def test_each_test_asserts_something() -> None:
    """Itself, or by a function of the tests that does."""
    functions: dict[str, list[ast.AST]] = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                functions.setdefault(node.name, []).append(node)
    bodies = {name: [node for scope in scopes for node in ast.walk(scope)] for name, scopes in functions.items()}
    calls = {
        name: {ast.unparse(node.func).rpartition(".")[2] for node in body if isinstance(node, ast.Call)}
        for name, body in bodies.items()
    }
    asserting = {
        name for name, body in bodies.items() if any(isinstance(node, ast.Assert) for node in body)
    } | ASSERTING
    while more := {name for name, called in calls.items() if name not in asserting and called & asserting}:
        asserting |= more
    silent = {name for name in functions if name.startswith("test_")} - asserting
    assert silent == set(SILENT)


def test_the_rules_find_what_they_forbid() -> None:
    wrong = """
def slow():
    time.sleep(1)

def timed():
    begun = time.perf_counter()
    assert time.perf_counter() - begun < 1

def busy():
    while not done():
        pass
"""
    assert [(name, what) for name, _, what in problems(ast.parse(wrong))] == [
        ("slow", "sleeps"),
        ("timed", "reads the clock"),
        ("timed", "reads the clock"),
        ("busy", "loops until something happens"),
    ]
