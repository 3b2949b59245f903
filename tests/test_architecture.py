"""The layer contract holds, names every package, and the page on architecture tells the same."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from typing import Any

from tests.docs.pages import CHECKOUT, between

toml = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
PROJECT: dict[str, Any] = toml.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS: list[dict[str, Any]] = PROJECT["tool"]["importlinter"]["contracts"]
ROOTS: list[str] = PROJECT["tool"]["importlinter"]["root_packages"]
# The rows of the root packages, from the top: each name with its package in front. A package below may have a contract of its own.
LAYERS = [
    [f"{container}.{name}" for name in re.split(r" [|:] ", row)]
    for contract in CONTRACTS
    for container in contract.get("containers", ())
    if container in ROOTS
    for row in contract["layers"]
]


def test_every_layer_imports_only_what_is_below_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_package_is_missing_in_the_contracts() -> None:
    """In each package that a contract holds a module that stands in no row fails; and each of ours is held by one."""
    held = {name for contract in CONTRACTS if contract.get("exhaustive") for name in contract["containers"]}
    assert held >= set(ROOTS)


def test_the_page_on_architecture_has_the_layers_of_the_contracts() -> None:
    lines = between("docs/architecture.md", "layers").splitlines()
    found = [re.match(r"\w+/\w+(?: \| \w+/\w+)*", line) for line in lines]
    assert [[name.replace("/", ".") for name in match[0].split(" | ")] for match in found if match] == LAYERS
