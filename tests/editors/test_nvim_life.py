"""The server's life in Neovim: not there, crashing, of another time, stopped, started, killed; files that no folder has."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cli.conftest import PROJECT
from tests.cli.program import CHECKOUT, lay_out
from tests.editors.nvim import NEEDS_NVIM, Terminal, run

pytestmark = NEEDS_NVIM
SCENARIO = CHECKOUT / "tests" / "editors" / "nvim_life.lua"
OLD = """
import json, sys
def read():
    size = int(sys.stdin.buffer.readline().split()[1]); sys.stdin.buffer.readline()
    return json.loads(sys.stdin.buffer.read(size))
while True:
    asked = read()
    if asked["method"] == "exit":
        break
    if "id" in asked:
        greeting = {"capabilities": {}, "serverInfo": {"name": "c2llm", "version": "0.0.1"}}
        result = greeting if asked["method"] == "initialize" else None
        body = json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}).encode()
        sys.stdout.buffer.write(b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body)
        sys.stdout.buffer.flush()
"""


def live(tmp_path: Path, case: str, program: str = "", **more: Any) -> dict[str, Any]:
    """What a case of the scenario tells, with a shell script as the server where one is given."""
    project, init = with_server(tmp_path, program)
    run(tmp_path, project / "app/ignore.py", "-c", f"luafile {SCENARIO}", init=init, CASE=case, **more)
    return dict(json.loads((tmp_path / "told").read_text(encoding="utf-8")))


def with_server(tmp_path: Path, program: str) -> tuple[Path, str]:
    """A project, and an init.lua that enables the server."""
    project = lay_out(tmp_path / "project", PROJECT)
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    init = 'vim.lsp.enable("c2llm")'
    if program:
        command = tmp_path / "server"
        command.write_text(f"#!/bin/sh\n{program}\n")
        command.chmod(0o755)
        init = f"vim.g.c2llm = {{ cmd = {{ [[{command}]] }} }}\n{init}"
    return project, init


def test_a_program_that_is_not_there_is_told_of_once_and_with_what_to_do(tmp_path: Path) -> None:
    told = live(tmp_path, "missing", path="/usr/bin:/bin")
    assert told["clients"] == 0
    first, asked = told["said"]
    assert first == asked, "whoever asks gets the reason, too"
    assert "c2llm cannot be started: it is not on the PATH" in first
    assert ":help c2llm-install" in first
    assert "Python 3.10 to 3.13" in first


def test_a_server_that_crashes_at_start_is_tried_three_times_then_told_of_once(tmp_path: Path) -> None:
    log = tmp_path / "starts"
    told = live(tmp_path, "crashing", f"echo started >> {log}; echo 'No module named numpy' >&2; exit 1")
    assert log.read_text().split() == ["started"] * 3
    assert told["clients"] == 0, "no file that is opened later starts it again"
    (said,) = told["said"]
    assert "crashed three times" in said
    assert ":C2llm log" in said


def test_after_three_crashes_a_person_can_choose_the_log_or_another_try(tmp_path: Path) -> None:
    """What a button is elsewhere, in Neovim's own list of choices."""
    log = tmp_path / "starts"
    project, init = with_server(tmp_path, f"echo started >> {log}; echo 'No module named numpy' >&2; exit 1")
    with Terminal(tmp_path, project / "app/ignore.py", init=init) as nvim:
        nvim.until("crashed three times and will not be restarted")
        nvim.until("1: Open the log")
        nvim.until("2: Start it again")
        nvim.type("2\r")
        nvim.until("1: Open the log")
        assert log.read_text().split() == ["started"] * 6
        nvim.type("1\r")
        nvim.until("No module named numpy")


def test_what_is_being_typed_is_not_taken_for_a_choice(tmp_path: Path) -> None:
    log = tmp_path / "starts"
    project, init = with_server(tmp_path, f"echo started >> {log}; exit 1")
    with Terminal(tmp_path, project / "app/ignore.py", init=init) as nvim:
        nvim.until("apply_ignore_rules")
        nvim.type("O# typed 1")
        while not log.exists() or len(log.read_text().split()) < 3:
            nvim.type("1")
            nvim.read(0.1)
        nvim.type("\x1b")
        nvim.until("1: Open the log")
        nvim.type("q:echo getline('.')\r")
        nvim.until("# typed 11")


def test_an_old_server_is_told_of_and_not_talked_to(tmp_path: Path) -> None:
    server = tmp_path / "old.py"
    server.write_text(OLD)
    told = live(tmp_path, "old", f"exec {shlex.quote(sys.executable)} {server}")
    assert told["said"] == [
        "The server 0.0.1 is too old for this plugin. Install the one that came with it: :help c2llm-install"
    ]


def test_it_stops_and_starts_comes_back_when_it_is_killed_and_answers_for_files_of_no_folder(tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere.py"
    outside.write_text("def rules_exclude(path, rules):\n    return any(rule.matches(path) for rule in rules)\n")
    pid = tmp_path / "pid"
    server = f"{shlex.quote(sys.executable)} -m c2llm_lsp serve"
    told = live(tmp_path, "lives", f"echo $$ > {pid}; exec {server}", OUTSIDE=str(outside), PID=str(pid))
    assert told["stopped"]
    assert told["again"]
    assert any(title.startswith("app/ignore.py:4  apply_ignore_rules  ") for title in told["offered"])
    assert told["said"] == [
        "This file is in no folder of the server. There is nothing to explain.",
        "This file is in no folder of the server. Ask a question: :C2llm context {question}",
    ]


def test_a_buffer_of_no_disk_starts_no_server_and_is_answered_by_its_text(tmp_path: Path) -> None:
    """The current folder is that of a project, which such a buffer is not in."""
    told = live(tmp_path, "virtual", cwd=tmp_path / "project")
    assert (told["clients"], told["attached"]) == (1, 0)
    assert any(title.startswith("app/ignore.py:4  apply_ignore_rules  ") for title in told["offered"])
