"""Starts our own Python processes, system tools and the user's editor; besides `git`, the only module that does.

Each process is isolated: `-I` ignores PYTHON* variables and keeps the current directory and the user's site-packages off
the import path; it then receives the import path of this process without workspace entries (see environment.py). It runs
in a folder of this package, with a cleaned environment and without a shell. An editor runs where the user is, as if they had
typed its name.
"""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.processes.environment import SAFE_FOLDER, child_environment, find_program, import_path

if TYPE_CHECKING:
    from concurrent.futures import Executor

Process = subprocess.Popen[bytes]
StillRunning = subprocess.TimeoutExpired

_SET_PATH = "import marshal, sys; sys.path[:] = marshal.load(sys.stdin.buffer)\n"
_NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The exit code and output of a process."""

    code: int
    out: str
    err: str


def can_start_python() -> bool:
    """Whether this process can start another Python interpreter: not if it is a frozen executable."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


def code_running_main(module: str) -> str:
    """The code that runs `main` of a module."""
    return f"from {module} import main; main()"


def start(code: str, *, capture_stderr: bool = False) -> Process:
    """Start a process that runs Python code, with pipes to its stdin and stdout; stderr is a pipe too with `capture_stderr`,
    else it is discarded. Raises OSError, ValueError.
    """
    process = subprocess.Popen(
        _command(code),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if capture_stderr else subprocess.DEVNULL,
        cwd=SAFE_FOLDER,
        env=child_environment(),
        creationflags=_NO_WINDOW,
    )
    assert process.stdin is not None
    try:
        process.stdin.write(marshal.dumps(import_path()))
        process.stdin.flush()
    except BaseException:
        process.kill()
        process.wait()
        raise
    return process


def run(code: str, *, seconds: float) -> Outcome:
    """Run Python code to its end. Raises OSError, TimeoutError."""
    return _run_to_end(_command(code), SAFE_FOLDER, marshal.dumps(import_path()), seconds)


def run_tool(name: str, arguments: Sequence[str], *, folder: Path) -> Outcome:
    """Run a system program in a folder. Raises OSError if it is not installed."""
    program = find_program(name)
    if program is None:
        raise FileNotFoundError(f"{name} is not on the PATH")
    return _run_to_end([program, *arguments], str(folder), b"", None)


def run_interactively(command: Sequence[str]) -> int:
    """Run a program in the user's terminal and wait for its end; its exit code. Raises OSError."""
    return subprocess.run(command, check=False).returncode


def worker_executor(processes: int) -> Executor:
    """An executor for parallel work: forked processes on Linux. Threads elsewhere, where forking is unsafe: there the standard
    library would start Python anew in the current directory and import from it.
    """
    from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor  # with multiprocessing, 10 ms of a start

    if sys.platform != "linux":
        return ThreadPoolExecutor(processes)
    import multiprocessing

    return ProcessPoolExecutor(processes, multiprocessing.get_context("fork"))


def _run_to_end(command: Sequence[str], folder: str, stdin: bytes, seconds: float | None) -> Outcome:
    try:
        completed = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            cwd=folder,
            env=child_environment(),
            timeout=seconds,
            check=False,
            creationflags=_NO_WINDOW,
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"no answer within {seconds:.0f} s") from error
    return Outcome(
        completed.returncode,
        completed.stdout.decode(errors="replace"),
        completed.stderr.decode(errors="replace"),
    )


def _command(code: str) -> list[str]:
    flags = ["-I"]
    if sys.flags.utf8_mode:  # PYTHONUTF8, which -I ignores
        flags += ["-X", "utf8"]
    if sys.flags.dont_write_bytecode:
        flags.append("-B")
    return [os.path.abspath(sys.executable), *flags, "-c", _SET_PATH + code]
