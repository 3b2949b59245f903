"""How a process and those that it starts (retrieval/processes) talk.

They are programs of their own with pipes of their own: nothing is inherited, so such a process can neither read nor
write the stdin and stdout over which a language server talks, and no lock or thread of this one is copied into it as a
fork would. Messages are four bytes of length and a marshalled value: faster than pickle, and nothing of it is ever
executed.
"""

from __future__ import annotations

import marshal
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

_HEADER = 4
_NICENESS = 5


def send(pipe: IO[bytes], value: Any) -> None:
    data = marshal.dumps(value)
    pipe.write(len(data).to_bytes(_HEADER, "little") + data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """The next message. Raises EOFError where there is none."""
    size = int.from_bytes(_exactly(pipe, _HEADER), "little")
    return marshal.loads(_exactly(pipe, size))


def describe_exit(code: int) -> str:
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


def claim_stdout() -> IO[bytes]:
    """What stdout was, for answers only; whatever a library prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return answers


def lower_priority(niceness: int = _NICENESS) -> None:
    """Ask the system to let others go first, and to take this process rather than an editor's server when memory runs
    out.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process in its own time
    with suppress(OSError, AttributeError):
        os.nice(niceness)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("900")
