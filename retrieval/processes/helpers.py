"""Starts the processes of our own, and tools: the only module that does, beside `git`.

Such a process is isolated: `-I` ignores PYTHON* variables and keeps the current directory and the user's site-packages
off the import path; then it gets the import path of this process, without what is in a workspace (see environment.py). It runs
in a folder of ours, with an environment of its own, and without a shell.
"""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from retrieval.processes.environment import SAFE_FOLDER, environment_of_helpers, find_program, import_path

Process = subprocess.Popen[bytes]
NotYet = subprocess.TimeoutExpired

_SET_PATH = "import marshal, sys; sys.path[:] = marshal.load(sys.stdin.buffer)\n"
_NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a process ended, and what it printed."""

    code: int
    out: str
    err: str


def may_start() -> bool:
    """Whether this process can start another Python: not where it is frozen into a program of its own."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


def main_of(module: str) -> str:
    """The code that runs `main` of a module."""
    return f"from {module} import main; main()"


def start(code: str, *, errors: bool = False) -> Process:
    """A process that runs a piece of code, with pipes to its stdin and stdout; what it writes to stderr is for its parent
    to read where `errors` is set, else it goes nowhere. Raises OSError, ValueError.
    """
    process = subprocess.Popen(
        _command(code),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if errors else subprocess.DEVNULL,
        cwd=SAFE_FOLDER,
        env=environment_of_helpers(),
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
    """Run a piece of code to its end. Raises OSError, TimeoutError."""
    return _finished(_command(code), SAFE_FOLDER, marshal.dumps(import_path()), seconds)


def run_tool(name: str, arguments: Sequence[str], *, folder: Path) -> Outcome:
    """Run a program of the system in a folder. Raises OSError where there is none of this name."""
    program = find_program(name)
    if program is None:
        raise FileNotFoundError(f"{name} is not on the PATH")
    return _finished([program, *arguments], str(folder), b"", None)


def copies(processes: int) -> Executor:
    """Copies of this process, for work in parallel. Threads where the system does not copy processes safely: there the
    standard library starts Python anew in the current directory, and imports from it.
    """
    if sys.platform != "linux":
        return ThreadPoolExecutor(processes)
    import multiprocessing

    return ProcessPoolExecutor(processes, multiprocessing.get_context("fork"))


def _finished(command: Sequence[str], folder: str, given: bytes, seconds: float | None) -> Outcome:
    try:
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            cwd=folder,
            env=environment_of_helpers(),
            timeout=seconds,
            check=False,
            creationflags=_NO_WINDOW,
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"no answer within {seconds:.0f} s") from error
    return Outcome(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def _command(code: str) -> list[str]:
    flags = ["-I"]
    if sys.flags.utf8_mode:  # PYTHONUTF8, which -I ignores
        flags += ["-X", "utf8"]
    if sys.flags.dont_write_bytecode:
        flags.append("-B")
    return [os.path.abspath(sys.executable), *flags, "-c", _SET_PATH + code]
