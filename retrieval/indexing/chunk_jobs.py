"""Texts to borders and words, here or in worker processes, and always in the order in which they were given.

A grammar can crash on a text or take gigabytes for it, and this is most of the work of a first index, which would hold
the interpreter's lock for which queries and a language server's input wait. So workers do it, whose memory and time are
limited (worker_pool.py, limits.py); what they give is the same as here, byte for byte and in the same order. Only what is too
short to do harm is cut here. A text on which a worker dies is cut again without being parsed.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from retrieval.chunking import boundaries
from retrieval.chunking.chunker import chunks_of
from retrieval.chunking.parsing import ParseTimeout
from retrieval.chunking.structure import FileStructure, NameRow, name_rows, pack
from retrieval.indexing.cancel import Cancel
from retrieval.store.analyzer import Words, terms_of
from retrieval.store.rows import NO_STRUCTURE, PackedStructure

# Bytes. The scanner of YAML writes its indentations into a buffer of 1,024 bytes without a check: 256 of them, in 512 bytes
# of text, end the process. Of 60 repeated fragments in 25 grammars none of 512 bytes took over 14 MB and 0.1 s otherwise.
HARMLESS_BYTES = 256
# Text that shrinks to less than this part is so repetitive that an error in it is there a thousand times: source code and data of
# more than a screen shrink to a tenth at best, the bombs known to a hundredth.
_REPETITIVE = 1 / 40
BY_LINES = "; indexed by line windows"


@dataclass(frozen=True, slots=True)
class ChunkedFile:
    """What becomes of a file's text. `words` has a row a chunk where they were asked for; `note` says why it was not
    parsed.
    """

    boundaries: bytes
    words: tuple[Words, ...] | None
    note: str = ""
    structure: PackedStructure = NO_STRUCTURE


@dataclass(slots=True)
class Task:
    """Something that a worker does: a function of a module and what it is given, all of which can be marshalled."""

    module: str
    function: str
    arguments: tuple[Any, ...]
    size: int = 0  # characters
    result: Any = None
    failure: str = ""
    done: bool = False
    parses: bool = True
    attempts: int = 0  # workers that died on it and may have died of something else
    deaths: int = 0  # workers that died on it

    def succeed(self, result: Any) -> None:
        self.result, self.done = result, True

    def fail(self, why: str) -> bool:
        """It cannot be done. Whether it became another task that is to be done in its place."""
        self.failure, self.done = why, True
        return False


@dataclass(slots=True, init=False)
class ChunkJob(Task):
    """A text to be cut, and what came of it: a cut or, where it cannot be had, why."""

    path: str = ""
    text: str = ""
    wants_words: bool = False
    chunked: ChunkedFile | None = None
    note: str = ""
    language: str = ""

    def __init__(self, path: str, text: str, wants_words: bool, note: str = "", language: str = "") -> None:
        """`note`: why it must not be parsed; `language`: where it is known."""
        Task.__init__(self, __name__, "chunk_text", (), len(text))
        self.path, self.text, self.wants_words, self.chunked = path, text, wants_words, None
        self.note, self.language = "", language
        self._take(note)

    def succeed(self, result: Any) -> None:
        found, words, data, names = result
        structure = PackedStructure(data, tuple(names))
        self.chunked, self.done = ChunkedFile(found, words, self.note, structure), True

    def fail(self, why: str) -> bool:
        if self.note:
            return Task.fail(self, why)
        self._take(why + BY_LINES)
        return True

    def _take(self, note: str) -> None:
        self.note, self.attempts, self.parses = note, 0, not note
        self.arguments = (self.path, self.text, self.wants_words, note, self.language)


class Chunker(Protocol):
    """Who cuts. `submit` does not wait; `wait` returns when the job is done, or without that where cancelled."""

    ahead: int  # jobs that may be submitted before the first is waited for

    def submit(self, job: ChunkJob) -> None: ...

    def wait(self, job: ChunkJob, cancel: Cancel) -> None: ...


class InProcessChunker:
    """Cuts in the caller's thread, without limits: texts that are likely to do harm are not parsed."""

    ahead = 0

    def submit(self, job: ChunkJob) -> None:
        """Nothing is done ahead."""

    def wait(self, job: ChunkJob, cancel: Cancel) -> None:  # noqa: ARG002
        if not job.note and _is_repetitive(job.text):
            job.fail("parse not tried outside a worker process")
        while not job.done:
            try:
                job.succeed(chunk_text(*job.arguments))
            except ParseTimeout:
                job.fail(TIMEOUT)


TIMEOUT = "parse exceeded the time limit"


def chunk_text(
    path: str, text: str, words: bool, note: str, language: str = ""
) -> tuple[bytes, tuple[Words, ...] | None, bytes, list[NameRow]]:
    """A file's borders, the words of its chunks, its structure and the rows of the names in it. `note`: why it must not be parsed.
    Raises ParseTimeout.
    """
    structure = FileStructure()
    chunks = chunks_of(path, text, parsed=not note, language=language, structure=structure)
    rows = tuple(terms_of((0, c.symbol, c.path, c.scope, c.text))[1:] for c in chunks) if words else None
    return boundaries.pack(chunks, text, note), rows, pack(structure), name_rows(structure)


def is_harmless(text: str) -> bool:
    """Whether it is too short to hurt whoever parses it."""
    return 4 * len(text) <= HARMLESS_BYTES or len(text.encode("utf-8", "replace")) <= HARMLESS_BYTES


def _is_repetitive(text: str) -> bool:
    data = text.encode("utf-8", "replace")
    return len(data) > HARMLESS_BYTES and len(zlib.compress(data, 1)) < len(data) * _REPETITIVE


# Characters given to a chunker and not taken back yet: enough to keep workers busy, little enough for memory.
_AHEAD_CHARACTERS = 4_000_000


class HasChunkJob(Protocol):
    """Something that may need a text cut before it is complete."""

    @property
    def job(self) -> ChunkJob | None: ...


Item = TypeVar("Item", bound=HasChunkJob)


def in_order(items: Iterable[Item], chunker: Chunker, cancel: Cancel) -> Iterator[Item]:
    """The items with their jobs done, in their order; ends early where cancelled."""
    waiting: deque[Item] = deque()
    size = 0
    for item in items:
        if cancel.is_set():
            return
        waiting.append(item)
        if item.job is not None:
            chunker.submit(item.job)
            size += len(item.job.text)
        while waiting and (_ready(waiting[0]) or len(waiting) > chunker.ahead or size > _AHEAD_CHARACTERS):
            first = waiting.popleft()
            if not _finish(first, chunker, cancel):
                return
            size -= len(first.job.text) if first.job is not None else 0
            yield first
    for item in waiting:
        if not _finish(item, chunker, cancel):
            return
        yield item


def _ready(item: HasChunkJob) -> bool:
    return item.job is None or item.job.done


def _finish(item: HasChunkJob, chunker: Chunker, cancel: Cancel) -> bool:
    """Wait for an item; False where it was cancelled."""
    if item.job is not None and not item.job.done:
        chunker.wait(item.job, cancel)
        return item.job.done
    return True
