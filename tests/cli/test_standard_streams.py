"""Closed streams, full disks and small address spaces end in an answer or in one line, never in a traceback."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from retrieval.processes import preflight
from tests.cli.conftest import c2llm, project
from tests.cli.program import Program
from tests.patience import PATIENCE

__all__ = ["c2llm", "project"]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the shell closes streams only there")
QUERY = "ignore rule"


def in_shell(c2llm: Program, redirections: str, *arguments: str, cwd: Path, before: str = "") -> tuple[int, str, str]:
    line = f"{before} {shlex.join(c2llm.command(*arguments))} {redirections}"
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, cwd=cwd, env=c2llm.environment(), timeout=PATIENCE
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("redirections", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_change_neither_the_exit_code_nor_the_index(
    c2llm: Program, project: Path, redirections: str
) -> None:
    code, out, err = in_shell(c2llm, redirections, "search", QUERY, "-k", "1", "-q", cwd=project)
    assert (code, err) == (0, "")
    assert ("app/ignore.py:" in out) == (">&-" not in redirections.replace("2>&-", ""))
    assert c2llm("search", QUERY, "-k", "1", cwd=project).code == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_behind_standard_output_is_one_line(c2llm: Program, project: Path) -> None:
    code, _, err = in_shell(c2llm, ">/dev/full", "status", cwd=project)
    assert (code, err) == (2, "c2llm: No space left on device.\n")


@pytest.mark.parametrize("command", [["search", QUERY], ["serve"], ["--help"]])
def test_a_small_address_space_is_one_line_that_says_what_to_type(
    c2llm: Program, project: Path, command: list[str]
) -> None:
    code, out, err = in_shell(c2llm, "", *command, cwd=project, before="ulimit -v 200000;")
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1 and "ulimit -v 400000" in err


def test_an_address_space_without_a_limit_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    for limit, expected in ((resource.RLIM_INFINITY, ""), (preflight.MIN_ADDRESS_SPACE, ""), (10**8, "100 MB")):
        monkeypatch.setattr(resource, "getrlimit", lambda _, limit=limit: (limit, limit))
        problem = preflight.address_space_problem()
        assert expected in problem and bool(problem) == bool(expected)


def test_no_color_leaves_a_terminal_without_colors(c2llm: Program, project: Path) -> None:
    assert "\x1b[3" not in c2llm.on_terminal("status", "/missing", cwd=project, NO_COLOR="1").out
    assert "\x1b[3" in c2llm.on_terminal("status", "/missing", cwd=project).out
