"""The assistants' own programs, as far as they are installed here and start without an account, read what was written."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.program import Program
from tests.patience import PATIENCE

LISTS = {
    "claude": ("claude", "mcp", "list"),
    "codex": ("codex", "mcp", "list"),
    "copilot": ("copilot", "mcp", "list"),
    "gemini": ("gemini", "mcp", "list"),
    "qwen": ("qwen", "mcp", "list"),
    "opencode": ("opencode", "mcp", "list"),
    "cline-cli": ("cline", "config", "mcp"),
}


@pytest.mark.slow
@pytest.mark.parametrize("agent", LISTS)
def test_the_program_lists_the_server(agent: str, tmp_path: Path) -> None:
    command = LISTS[agent]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    c2llm = Program(tmp_path)
    assert c2llm("install-agent", agent, "--yes", cwd=project).code == 0
    environ = {**c2llm.environment(), "PATH": os.environ["PATH"]}
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_CONFIG_HOME"):
        environ.pop(name, None)
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=project,
        env=environ,
        timeout=PATIENCE,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert "c2llm" in done.stdout + done.stderr
