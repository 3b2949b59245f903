"""The layer contract holds, and the README says what the program says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from c2llm_lsp.cli.app import COMMANDS

CHECKOUT = Path(__file__).parents[1]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")


def between(start: str) -> str:
    """The README's text between a marker and the next end."""
    found = re.search(rf"<!-- {start}[^>]*-->\n(.*?)<!-- end -->", README, re.DOTALL)
    assert found, f"README.md has no place marked '{start}'"
    return found[1].strip()


def test_every_layer_imports_only_what_is_below_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readme_lists_each_subcommand_with_its_own_words() -> None:
    rows = [f"| `c2llm {name}` | {line} |" for name, (_, line) in COMMANDS.items()]
    assert between("subcommands").splitlines()[2:] == rows


@pytest.mark.parametrize("package", ["retrieval", "c2llm_lsp"])
def test_each_package_of_the_layout_in_the_readme_exists(package: str) -> None:
    layout = re.search(r"Layers, each importing.*?\n\n(.*?)\n\n", README, re.DOTALL)
    assert layout
    rows = [line.strip() for line in layout[1].splitlines() if line.strip().startswith(package + "/")]
    for line in rows:
        names = re.match(r"[\w/]+(?: \| \w+)*", line)
        assert names
        for name in names[0].removeprefix(package + "/").split(" | "):
            base = CHECKOUT / package / name
            assert base.is_dir() or base.with_suffix(".py").is_file(), f"the README names {package}/{name}"


def test_the_readme_names_only_subcommands_that_exist() -> None:
    named = set(re.findall(r"`?\bc2llm (\w+)", re.sub(r"<!--.*?-->", "", README)))
    assert named <= set(COMMANDS)


def test_the_commands_of_the_readme_are_one_shell_line_each() -> None:
    for marker in ("try command", "test command"):
        lines = [line for line in between(marker).splitlines() if not line.startswith("```")]
        assert len(lines) == 1, marker
