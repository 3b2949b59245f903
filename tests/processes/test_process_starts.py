"""Only `retrieval.processes` starts processes and looks for programs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
ALLOWED = CHECKOUT / "retrieval" / "processes"
MODULES = {"subprocess", "multiprocessing", "pty", "runpy", "_posixsubprocess", "webbrowser"}
NAMES = {
    "os": ("system", "popen", "exec", "spawn", "posix_spawn", "fork", "startfile"),
    "asyncio": ("create_subprocess",),
    "concurrent": ("ProcessPoolExecutor",),
    "shutil": ("which",),
    "typer": ("launch", "edit"),
    "click": ("launch", "edit"),
    "platform": ("processor", "platform", "uname", "node"),  # they run uname, or cmd
    "ctypes": ("util",),  # find_library runs ldconfig and gcc
}


def starts(text: str) -> Iterator[str]:
    """The modules and functions of a source that start processes, as they are named there."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if is_start(alias.name))
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name for name in names if is_start(name))
        elif isinstance(node, ast.Attribute):
            name = ast.unparse(node)
            if is_start(name) or node.attr in ("ProcessPoolExecutor", "subprocess_exec", "subprocess_shell"):
                yield name
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in (
            "__import__",
            "import_module",
        ):
            names = [str(part.value) for part in node.args[:1] if isinstance(part, ast.Constant)]
            yield from filter(is_start, names)


def is_start(name: str) -> bool:
    module, _, function = name.partition(".")
    if module in MODULES:
        return True
    last = function.rpartition(".")[2]
    return any(last.startswith(one) for one in NAMES.get(module, ()))


PACKAGES = (CHECKOUT / "c2llm_lsp", CHECKOUT / "retrieval")
SOURCES = [path for package in PACKAGES for path in sorted(package.rglob("*.py")) if ALLOWED not in path.parents]


@pytest.mark.slow
def test_no_other_module_starts_a_process() -> None:
    process_starts = {
        str(path.relative_to(CHECKOUT)): names
        for path in SOURCES
        if (names := list(starts(path.read_text(encoding="utf-8"))))
    }
    assert process_starts == {}, "start processes with retrieval.processes.helpers or .git"


@pytest.mark.parametrize(
    "text",
    [
        "import subprocess",
        "from subprocess import run",
        "import os\nos.execvp('git', [])",
        "from os import posix_spawn",
        "import asyncio\nasyncio.create_subprocess_exec('git')",
        "from concurrent.futures import ProcessPoolExecutor",
        "import multiprocessing.pool",
        "loop.subprocess_exec(f, 'git')",
        "import shutil\nshutil.which('git')",
        "__import__('subprocess')",
    ],
)
def test_the_check_recognizes_every_way_to_start_a_process(text: str) -> None:
    assert list(starts(text))
