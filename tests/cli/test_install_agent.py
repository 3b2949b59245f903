"""`c2llm install-agent` as a person calls it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import c2llm
from tests.cli.program import Program

__all__ = ["c2llm"]


def test_assistants_are_found_shown_configured_and_restored(c2llm: Program) -> None:
    home = c2llm.home
    project = home / "project"
    (project / ".git").mkdir(parents=True)
    for folder in (".cursor", ".codex"):
        (home / folder).mkdir()
    settings = home / ".codex/config.toml"
    settings.write_text('model = "x" # mine\n')
    broken = home / ".cursor/mcp.json"
    broken.write_text("{")
    environ = {"C2LLM_DATA_DIR": str(home / "data"), "PATH": "/nowhere"}

    listed = json.loads(c2llm("install-agent", "--list", "--json", cwd=project, environ=environ).out)
    assert [row["name"] for row in listed["agents"] if row["found"]] == ["codex", "cursor"]

    shown = c2llm("install-agent", "--dry-run", cwd=project, environ=environ)
    assert "+[mcp_servers.c2llm]" in shown.out
    assert f"Cursor: {broken} was left as it is: line 1 is not valid JSON" in shown.err
    assert shown.code == 2
    assert settings.read_text() == 'model = "x" # mine\n'

    unasked = c2llm("install-agent", "codex", cwd=project, environ=environ)
    assert unasked.code == 2
    assert "--yes" in unasked.err

    assert c2llm("install-agent", "codex", "--yes", cwd=project, environ=environ).code == 0
    assert "c2llm" in settings.read_text()
    again = c2llm("install-agent", "codex", "--yes", cwd=project, environ=environ)
    assert (again.code, again.out) == (0, "All of it is configured already.\n")

    undone = json.loads(c2llm("install-agent", "--undo", "--yes", "--json", "codex", cwd=project, environ=environ).out)
    assert [row["agents"] for row in undone["changes"]] == [["codex"], ["codex"]]
    assert settings.read_text() == 'model = "x" # mine\n'
    assert c2llm("install-agent", "codex", "--undo", cwd=project, environ=environ).code == 1


def test_what_cannot_be_configured_is_said(c2llm: Program) -> None:
    for arguments, said in (
        (("nobody",), "There is no assistant 'nobody'; known are claude, codex"),
        (("windsurf", "--user", "--project"), "not both"),
        (("windsurf", "--yes"), "run this in a project"),
        (("antigravity", "--project"), "is not a project"),
        (("--dry-run", "zed\x1b[31m"), "There is no assistant"),
    ):
        result = c2llm("install-agent", *arguments, cwd=c2llm.home)
        assert result.code == 2, arguments
        assert said in result.err
        assert "\x1b" not in result.err


def test_without_an_assistant_nothing_is_done(c2llm: Program, tmp_path: Path) -> None:
    result = c2llm("install-agent", cwd=tmp_path, environ={"PATH": "/nowhere"})
    assert result.code == 1
    assert "No assistant" in result.out
