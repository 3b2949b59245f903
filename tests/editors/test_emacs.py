"""Emacs with Eglot, driven in batch mode with the lines of its page."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import PROJECT
from tests.cli.program import CHECKOUT, Program, lay_out
from tests.editors.pages import blocks
from tests.editors.program import on_path
from tests.patience import PATIENCE

FIND_EGLOT = "(progn (package-initialize) (require 'eglot))"


def missing() -> str:
    """Why Emacs cannot be driven here; empty where it can."""
    if not shutil.which("emacs"):
        return "emacs is not installed"
    found = subprocess.run(["emacs", "-q", "--batch", "--eval", FIND_EGLOT], capture_output=True, check=False)
    return "" if found.returncode == 0 else "Emacs has no Eglot"


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=missing() or "-"),
]


def elisp(*, place: int) -> str:
    """The page's Emacs Lisp: its commands, and one of its three ways to name the server, by number."""
    pieces = [block.code for block in blocks("emacs.md", "elisp")]
    ways = [code for code in pieces if "eglot-server-programs" in code]
    commands = next(code for code in pieces if "defun c2llm-search" in code)
    return "\n".join(["(require 'eglot)", ways[place], commands])


def drive(tmp_path: Path, configuration: str) -> dict[str, Any]:
    """Run the scenario; what it tells, by name."""
    project = lay_out(tmp_path / "project", PROJECT)
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    home = tmp_path / "home"
    (home / ".emacs.d").mkdir(parents=True)
    init = tmp_path / "init.el"
    init.write_text(f"(package-initialize)\n{configuration}\n", encoding="utf-8")
    environment = Program(home).environment(PROJECT=str(project), LANG="C.UTF-8")
    path = [str(on_path(tmp_path / "bin")), environment["PATH"]]
    done = subprocess.run(
        ["emacs", "-q", "--batch", "-l", str(init), "-l", str(CHECKOUT / "tests/editors/emacs_scenario.el")],
        capture_output=True,
        text=True,
        env=environment | {"PATH": ":".join(path)},
        cwd=project,
        timeout=PATIENCE,
        check=False,
    )
    told: dict[str, Any] = {}
    for line in done.stderr.splitlines():
        if line.startswith("{"):
            told |= json.loads(line)
    assert done.returncode == 0, f"{done.stderr}\n{sorted(told)}"
    return told


def check(told: dict[str, Any]) -> None:
    assert any("apply_ignore_rules" in line for line in told["apropos"])
    assert told["apropos"][0] == "def apply_ignore_rules(path, rules):", "the best is first, and its line is its name's"
    assert "def shrink_picture" in told["unsaved"]
    lines = told["search"].splitlines()
    assert told["from_xref"] == told["search"], "from a buffer of no file, too"
    assert lines[0] == "make a picture smaller"
    assert lines[2] == "app/invoices.py:10: shrink_picture"
    assert told["visited"] == 10
    assert told["similar"].startswith("Similar code\n\n")
    assert "app/ignore.py" in told["context"]
    assert told["actions"] == ["Find similar code", "Copy as context for an assistant"]
    assert "Similar code:" in told["told"]
    assert told["hits"] > 2
    assert told["fewer"] == 2
    assert "def tell_the_hour" in told["outside"]
    assert told["ended"] is True


def test_a_person_works_with_c2llm_alone(tmp_path: Path) -> None:
    told = drive(tmp_path, elisp(place=1))
    assert told["server"] == "c2llm"
    check(told)


def test_c2llm_serves_what_eglot_knows_no_server_for(tmp_path: Path) -> None:
    told = drive(tmp_path, "(require 'eglot)\n(setq eglot-server-programs nil)\n" + elisp(place=0))
    assert told["server"] == "c2llm"
    check(told)


@pytest.mark.skipif(not (shutil.which("rass") and shutil.which("pylsp")), reason="rass or pylsp is not installed")
def test_c2llm_works_beside_the_servers_of_a_language(tmp_path: Path) -> None:
    (preset,) = blocks("emacs.md", "python")
    folder = tmp_path / "home" / ".config" / "rassumfrassum"
    folder.mkdir(parents=True)
    (folder / "with-c2llm.py").write_text(preset.code, encoding="utf-8")
    told = drive(tmp_path, elisp(place=2))
    assert told["server"] == "pylsp+c2llm"
    check(told)
