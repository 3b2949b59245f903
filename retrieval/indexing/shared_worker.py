"""The one worker of this process for texts that someone waits for: open buffers, a few changed files, what is shown.

It starts with the first text that is long enough to do harm, some 0.1 s, and ends when nothing came for a while. What a
buffer is at is not worth a worker at each key stroke: after a crash it is cut by lines for some time.
"""

from __future__ import annotations

import atexit
import threading
import time
from importlib import import_module
from typing import Any

from retrieval.chunking import boundaries
from retrieval.chunking.parsing import ParseTimeout
from retrieval.indexing.cancel import Cancel, NullCancel
from retrieval.indexing.chunk_jobs import ChunkJob, InProcessChunker, Task, is_harmless
from retrieval.indexing.worker_pool import WorkerPool
from retrieval.store.rows import NO_STRUCTURE, PackedStructure
from retrieval.types import Chunk

IDLE_SECONDS = 600.0
# For so long a buffer whose parse was stopped is not parsed.
PAUSE_SECONDS = 20.0
_MOST_PAUSED = 1_000

_lock = threading.Lock()
_pool: WorkerPool | None = None
_paused: dict[str, tuple[float, str]] = {}  # by path: until when, and why


class SharedChunker:
    """A chunker for a few files: harmless ones here, others by the shared worker."""

    ahead = 16

    def submit(self, job: ChunkJob) -> None:
        if not is_harmless(job.text):
            worker().submit(job)

    def wait(self, job: ChunkJob, cancel: Cancel) -> None:
        if is_harmless(job.text):
            InProcessChunker().wait(job, cancel)
        else:
            worker().wait(job, cancel)


def chunks_of_buffer(path: str, text: str, language: str = "") -> list[Chunk]:
    """The chunks of a text that changes while someone types, in this language where it is known."""
    return chunked_buffer(path, text, language)[0]


def chunked_buffer(path: str, text: str, language: str = "") -> tuple[list[Chunk], PackedStructure]:
    """The same with what the text defines, calls and imports."""
    until, why = _paused.get(path, (0.0, ""))
    job = ChunkJob(path, text, False, why if time.monotonic() < until else "", language)
    _do(job, is_harmless(text))
    if job.note and not why:
        while len(_paused) >= _MOST_PAUSED:
            del _paused[next(iter(_paused))]
        _paused[path] = time.monotonic() + PAUSE_SECONDS, job.note
    elif not job.note:
        _paused.pop(path, None)
    if job.chunked is None:
        return [], NO_STRUCTURE
    return boundaries.unpack(path, text, job.chunked.boundaries), job.chunked.structure


def call(module: str, function: str, *arguments: Any, text: str) -> Any:
    """What a function makes of a text that it parses; None where the parse crashed or took too much."""
    if is_harmless(text):
        try:
            return getattr(import_module(module), function)(*arguments)
        except ParseTimeout:
            return None
    task = Task(module, function, arguments, len(text))
    _do(task, False)
    return task.result


def worker() -> WorkerPool:
    global _pool  # noqa: PLW0603
    with _lock:
        if _pool is None or _pool.given_up or _pool.closed:
            if _pool is not None:
                _pool.close()
            _pool = WorkerPool(1, niceness=0, idle_seconds=IDLE_SECONDS)
        return _pool


def close() -> None:
    """End the worker; the next text starts another one."""
    global _pool
    with _lock:
        pool, _pool = _pool, None
    if pool is not None:
        pool.close()


def _do(task: Task, harmless: bool) -> None:
    if harmless and isinstance(task, ChunkJob):
        InProcessChunker().wait(task, NullCancel())
        return
    pool = worker()
    pool.submit(task, first=True)
    pool.wait(task, NullCancel())


atexit.register(close)
