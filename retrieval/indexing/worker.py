"""The process that parses for another one: texts come in on its stdin, what was made of them goes out on its stdout.

It reads no file, writes none and knows no workspace. Its memory and its time for a text are limited (limits.py): where
one asks for more the process ends, and its parent starts another. A thread reads ahead, so that neither side waits for
a full pipe, and ends the process as soon as its stdin does: when the parent is gone, whatever killed it.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from importlib import import_module
from typing import IO, Any

from retrieval.indexing.ipc import claim_stdout, lower_priority, receive, send

# What is answered in place of a result.
NO_MEMORY = "memory"
TIMEOUT = "time"


def main() -> None:
    answers = claim_stdout()
    niceness = receive(sys.stdin.buffer)
    lower_priority(niceness)
    if hasattr(signal, "SIGPROF"):
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
    from retrieval.chunking.parsing import ParseTimeout
    from retrieval.indexing import chunk_jobs, limits  # noqa: F401  # loaded before memory is measured; NumPy is not: 0.2 s, 90 MB

    limits.limit_memory()
    groups: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, groups), daemon=True).start()
    send(answers, "ready")
    while True:
        for module, function, arguments in groups.get():
            work = getattr(import_module(module), function)
            limits.start_clock()
            try:
                answer = work(*arguments), ""
            except MemoryError:
                answer = None, NO_MEMORY
            except ParseTimeout:
                answer = None, TIMEOUT
            limits.stop_clock()
            try:
                send(answers, answer)
            except OSError:
                os._exit(0)  # nobody listens any more


def _read(pipe: IO[bytes], groups: queue.SimpleQueue[Any]) -> None:
    try:
        while True:
            groups.put(receive(pipe))
    finally:
        os._exit(0)
