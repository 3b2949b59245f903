"""The process that cuts files for another one: texts come in on its stdin, borders and words go out on its stdout.

It reads no file, writes none and knows no workspace. Messages are four bytes of length and a marshalled value:
faster than pickle, and nothing of it is ever executed. A thread reads ahead, so that neither side waits for a full
pipe, and ends the process as soon as its stdin does: when the parent is gone, whatever killed it.

The system is asked to let others go first, and to take this process rather than an editor's server when memory runs
out.
"""

from __future__ import annotations

import marshal
import os
import queue
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

HEADER = 4
_NICENESS = 5


def send(pipe: IO[bytes], value: Any) -> None:
    data = marshal.dumps(value)
    pipe.write(len(data).to_bytes(HEADER, "little") + data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """The next message. Raises EOFError where there is none."""
    size = int.from_bytes(_exactly(pipe, HEADER), "little")
    return marshal.loads(_exactly(pipe, size))


def _exactly(pipe: IO[bytes], count: int) -> bytes:
    data = pipe.read(count)
    if len(data) < count:
        raise EOFError
    return data


def main() -> None:
    answers = _own_stdout()
    _behave()
    from retrieval.indexing.cutting import cut

    groups: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, groups), daemon=True).start()
    send(answers, "ready")
    while True:
        done = []
        for path, text, words in groups.get():
            result = cut(path, text, words=words)
            done.append((result.borders, result.words))
        try:
            send(answers, done)
        except OSError:
            os._exit(0)  # nobody listens any more


def _read(pipe: IO[bytes], groups: queue.SimpleQueue[Any]) -> None:
    try:
        while True:
            groups.put(receive(pipe))
    finally:
        os._exit(0)


def _own_stdout() -> IO[bytes]:
    """What stdout was, for answers only; whatever a library prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return answers


def _behave() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process in its own time
    with suppress(OSError, AttributeError):
        os.nice(_NICENESS)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("900")
