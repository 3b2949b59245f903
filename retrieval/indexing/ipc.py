"""Processes beside this one, and how the two talk.

They are programs of their own with pipes of their own: nothing is inherited, so such a process can neither read nor
write the stdin and stdout over which a language server talks, and no lock or thread of this one is copied into it as a
fork would. Messages are four bytes of length and a marshalled value: faster than pickle, and nothing of it is ever
executed.
"""

from __future__ import annotations

import marshal
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

_HEADER = 4
_NICENESS = 5


def may_spawn() -> bool:
    """Whether this process can start another Python: not where it is frozen into a program of its own."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


def boot(module: str) -> str:
    """The program that runs `main` of a module, with this process's import path as its first message."""
    return (
        "import marshal, sys; sys.path[:] = marshal.load(sys.stdin.buffer); "
        f"from {module} import main; main()"
    )  # fmt: skip


def spawn(program: str, *, heard: bool = False) -> subprocess.Popen[bytes]:
    """A process that runs such a program; its import path is still to be sent. What it writes to stderr is for its
    parent to read where it is `heard`, else it goes nowhere. Raises OSError, ValueError.
    """
    return subprocess.Popen(
        [sys.executable, "-I", "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if heard else subprocess.DEVNULL,
        cwd=Path(__file__).parent,  # never the workspace: nothing of it may be imported, and it can be moved
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def send_path(pipe: IO[bytes]) -> None:
    pipe.write(marshal.dumps([str(Path(entry).absolute()) for entry in sys.path]))
    pipe.flush()


def send(pipe: IO[bytes], value: Any) -> None:
    data = marshal.dumps(value)
    pipe.write(len(data).to_bytes(_HEADER, "little") + data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """The next message. Raises EOFError where there is none."""
    size = int.from_bytes(_exactly(pipe, _HEADER), "little")
    return marshal.loads(_exactly(pipe, size))


def how_it_ended(code: int) -> str:
    """An exit code in words: the name of the signal that ended a process, or the code."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _exactly(pipe: IO[bytes], count: int) -> bytes:
    data = pipe.read(count)
    if len(data) < count:
        raise EOFError
    return data


# -- in such a process ----------------------------------------------------------------------------------------------


def own_stdout() -> IO[bytes]:
    """What stdout was, for answers only; whatever a library prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return answers


def behave(niceness: int = _NICENESS) -> None:
    """Ask the system to let others go first, and to take this process rather than an editor's server when memory runs
    out.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process in its own time
    with suppress(OSError, AttributeError):
        os.nice(niceness)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("900")
