"""Texts to borders and words, here or in worker processes, and always in the order in which they were given.

Cutting a file and splitting its words is Python, most of the work of a first index, and it would hold the
interpreter's lock for which queries and a language server's input wait. A few files are cut here: a process costs more
to start. Many are cut by workers (worker_pool.py); what they give is the same, byte for byte and in the same order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from retrieval.chunking import boundaries, chunk_file
from retrieval.store import Words
from retrieval.store.full_text import words_of


class Cancel(Protocol):
    """As threading.Event."""

    def is_set(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class CutFile:
    """What becomes of a file's text. `words` has a row a chunk where they were asked for."""

    borders: bytes
    words: tuple[Words, ...] | None


@dataclass(slots=True)
class Job:
    """A text to be cut, and what came of it: a cut or, where it cannot be had, why."""

    path: str
    text: str
    wants_words: bool
    cut: CutFile | None = None
    failure: str = ""
    tried: int = 0  # workers that died on it

    @property
    def done(self) -> bool:
        return self.cut is not None or bool(self.failure)


class Cutter(Protocol):
    """Who cuts. `submit` does not wait; `wait` returns when the job is done, or without that where cancelled."""

    ahead: int  # jobs that may be submitted before the first is waited for

    def submit(self, job: Job) -> None: ...

    def wait(self, job: Job, cancel: Cancel) -> None: ...


class Here:
    """Cuts in the caller's thread."""

    ahead = 0

    def submit(self, job: Job) -> None:
        """Nothing is done ahead."""

    def wait(self, job: Job, cancel: Cancel) -> None:  # noqa: ARG002
        job.cut = cut(job.path, job.text, words=job.wants_words)


def cut(path: str, text: str, *, words: bool) -> CutFile:
    """The one function that workers run."""
    chunks = chunk_file(path, text)
    rows = tuple(words_of((0, c.symbol, c.path, c.scope, c.text))[1:] for c in chunks) if words else None
    return CutFile(boundaries.pack(chunks, text), rows)


# Characters given to a cutter and not taken back yet: enough to keep workers busy, little enough for memory.
_AHEAD_CHARACTERS = 4_000_000


class HasJob(Protocol):
    """Something that may need a text cut before it is complete."""

    @property
    def job(self) -> Job | None: ...


Item = TypeVar("Item", bound=HasJob)


def in_order(items: Iterable[Item], cutter: Cutter, cancel: Cancel) -> Iterator[Item]:
    """The items with their jobs done, in their order; ends early where cancelled."""
    waiting: deque[Item] = deque()
    size = 0
    for item in items:
        if cancel.is_set():
            return
        waiting.append(item)
        if item.job is not None:
            cutter.submit(item.job)
            size += len(item.job.text)
        while waiting and (_ready(waiting[0]) or len(waiting) > cutter.ahead or size > _AHEAD_CHARACTERS):
            first = waiting.popleft()
            if not _finish(first, cutter, cancel):
                return
            size -= len(first.job.text) if first.job is not None else 0
            yield first
    for item in waiting:
        if not _finish(item, cutter, cancel):
            return
        yield item


def _ready(item: HasJob) -> bool:
    return item.job is None or item.job.done


def _finish(item: HasJob, cutter: Cutter, cancel: Cancel) -> bool:
    """Wait for an item; False where it was cancelled."""
    if item.job is not None and not item.job.done:
        cutter.wait(item.job, cancel)
        return item.job.done
    return True
