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
LAYERS: list[str] = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]


def test_every_layer_imports_only_what_is_below_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_on_architecture_has_the_layers_of_the_contract() -> None:
    lines = between("docs/architecture.md", "layers").splitlines()
    found = [re.match(r"\w+/\w+(?: \| \w+/\w+)*", line) for line in lines]
    rows = [[name.replace("/", ".") for name in match[0].split(" | ")] for match in found if match]
    assert rows == [re.split(r" [|:] ", layer) for layer in LAYERS]


def test_every_module_of_the_layers_exists() -> None:
    for name in (name for layer in LAYERS for name in re.split(r" [|:] ", layer)):
        base = CHECKOUT.joinpath(*name.split("."))
        assert base.is_dir() or base.with_suffix(".py").is_file(), name
