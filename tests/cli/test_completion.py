"""Completion in shells, as their own completion functions ask for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import Program
from tests.patience import PATIENCE


def complete(c2llm: Program, line: str) -> list[str]:
    """What bash offers for the last word of a line."""
    words = line.split(" ")
    environment = c2llm.environment(_C2LLM_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1))
    done = subprocess.run(
        c2llm.command(), env=environment, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("c2llm sea", ["search"]),
        ("c2llm search --lang type", ["typescript"]),
        ("c2llm search --lang go,type", ["go,typescript"]),
        ("c2llm similar --kind f", ["function"]),
        ("c2llm search --interac", ["--interactive"]),
    ],
)
def test_commands_options_and_the_values_of_filters_are_offered(line: str, offered: list[str], c2llm: Program) -> None:
    assert complete(c2llm, line) == offered


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_bash_completes_by_the_script_that_it_is_given(c2llm: Program, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "c2llm"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m c2llm_lsp "$@"\n')
    program.chmod(0o700)
    script = (
        'eval "$(_C2LLM_COMPLETE=source_bash c2llm)"; COMP_WORDS=(c2llm search --lang type); COMP_CWORD=3; '
        '_c2llm_completion c2llm; echo "${COMPREPLY[@]}"'
    )
    environment = c2llm.environment(PATH=f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    done = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert done.stdout.strip() == "typescript"
