"""The process that cuts files for another one: texts come in on its stdin, borders and words go out on its stdout.

It reads no file, writes none and knows no workspace. A thread reads ahead, so that neither side waits for a full pipe,
and ends the process as soon as its stdin does: when the parent is gone, whatever killed it.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from typing import IO, Any

from retrieval.indexing.ipc import behave, own_stdout, receive, send


def main() -> None:
    answers = own_stdout()
    behave()
    from retrieval.indexing.chunk_jobs import cut

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
