"""A forked program cannot tell itself from a started one, and its parent cannot either."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import fork_server
from tests.patience import PATIENCE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="programs are forked on Linux only")

TELLS = """
import json, os, signal, sys, threading
names = ("C2LLM_PROBE", "PYTHONPATH", "HOME")
print(json.dumps({
    "argv": sys.argv, "path": sys.path, "name": __name__, "folder": os.getcwd(), "parent": os.getppid(),
    "environ": {name: os.environ.get(name) for name in names},
    "streams": [(s.encoding, s.errors, s.line_buffering, s.isatty()) for s in (sys.stdin, sys.stdout, sys.stderr)],
    "open": sorted(os.listdir("/proc/self/fd")), "threads": threading.active_count(), "group": os.getpgid(0),
    "signals": [str(signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGCHLD)],
    "read": sys.stdin.read(),
}))
print("to stderr", file=sys.stderr)
sys.exit(7)
"""
WAITS = """
try:
    print("here", flush=True)
    input()
except KeyboardInterrupt:
    print("caught", flush=True)
"""


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], list[str]]:
    def write(code: str) -> list[str]:
        (tmp_path / "program.py").write_text(code)
        return [sys.executable, str(tmp_path / "program.py"), "one", "--two"]

    return write


def environment(**more: str) -> dict[str, str]:
    return {**fork_server.child_environment(), "HOME": "/nowhere", **more}


@pytest.mark.parametrize("more", [{"C2LLM_PROBE": "é"}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
def test_what_a_program_sees_of_itself_is_the_same(
    program: Callable[[str], list[str]], tmp_path: Path, more: dict[str, str]
) -> None:
    options: dict[str, Any] = {"env": environment(**more), "cwd": tmp_path}
    command = program(TELLS)
    assert fork_server.can_fork(command, options)
    forked = fork_server.run(command, input="ü\n".encode(), timeout=PATIENCE, **options)
    started = subprocess.run(command, input="ü\n".encode(), capture_output=True, check=False, **options)
    assert json.loads(forked.stdout) == json.loads(started.stdout)
    assert (forked.returncode, forked.stderr) == (started.returncode, started.stderr) == (7, b"to stderr\n")


def test_a_module_is_run_with_its_folder_on_the_import_path(tmp_path: Path) -> None:
    (tmp_path / "probe.py").write_text("import sys; print(__name__, sys.argv, sys.path)")
    command = [sys.executable, "-m", "probe", "x"]
    options: dict[str, Any] = {"env": environment(), "cwd": tmp_path}
    assert fork_server.can_fork(command, options)
    started = subprocess.run(command, capture_output=True, check=True, **options)
    assert fork_server.run(command, input=b"", timeout=PATIENCE, **options).stdout == started.stdout


@pytest.mark.parametrize("signal_, said, code", [(signal.SIGINT, "caught\n", 0), (signal.SIGKILL, "", -9)])
def test_it_is_signalled_and_waited_for(
    program: Callable[[str], list[str]], signal_: signal.Signals, said: str, code: int
) -> None:
    pipes = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
    with fork_server.popen(program(WAITS), env=environment(), text=True, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        assert process.poll() is None
        process.send_signal(signal_)
        assert process.stdout.read() == said
    assert process.returncode == code


def test_an_uncaught_exception_is_a_traceback_and_exit_code_1(program: Callable[[str], list[str]]) -> None:
    done = fork_server.run(program("raise ValueError('so')"), input=b"", timeout=PATIENCE, env=environment())
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, b"ValueError: so")


@pytest.mark.parametrize(
    "more",
    [{"PYTHONUTF8": "1"}, {"LC_ALL": "tr_TR.UTF-8"}, {"PYTHONPATH": "/tmp"}, {"PYTHONPATH": "tests/cli/guard"}],
    ids=lambda more: "".join(more.values()),
)
def test_what_only_a_new_interpreter_obeys_starts_one(more: dict[str, str]) -> None:
    assert not fork_server.can_fork([sys.executable, "-m", "c2llm_lsp"], {"env": environment(**more)})


def test_options_of_the_interpreter_and_other_programs_start_one() -> None:
    options = {"env": environment()}
    assert not fork_server.can_fork([sys.executable, "-c", "pass"], options)
    assert not fork_server.can_fork([sys.executable, "-I", "-m", "c2llm_lsp"], options)
    assert not fork_server.can_fork(["git", "-m", "x"], options)
    assert not fork_server.can_fork([sys.executable, "-m", "x"], {**options, "preexec_fn": os.setsid})


def test_it_can_have_a_session_of_its_own(program: Callable[[str], list[str]]) -> None:
    command = program("import os; print(os.getsid(0) == os.getpid(), flush=True)")
    for alone in (True, False):
        with fork_server.popen(
            command, env=environment(), text=True, stdout=subprocess.PIPE, start_new_session=alone
        ) as process:
            assert process.communicate()[0] == f"{alone}\n"


@pytest.mark.slow
def test_a_server_whose_answer_was_not_taken_is_replaced(
    program: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the time of a test is up while it starts a program: the next must not get the process of the one before."""
    command, options = program("print(1)"), {"env": environment()}
    assert fork_server.run(command, input=b"", timeout=PATIENCE, **options).stdout == b"1\n"
    before = fork_server.server_for(uses_torch=False)

    class Interrupted(BaseException):
        pass

    def interrupt(_: object) -> int:
        raise Interrupted

    with monkeypatch.context() as patched:
        patched.setattr(fork_server.json, "dumps", interrupt)
        with pytest.raises(Interrupted):
            fork_server.popen(command, **options)
    assert fork_server.run(program("print(2)"), input=b"", timeout=PATIENCE, **options).stdout == b"2\n"
    assert fork_server.server_for(uses_torch=False) is not before
