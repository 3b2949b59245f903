"""Texts of many clients, embedded together.

One thread embeds; while it is at work, what arrives waits, and goes together into the next batch: the busier the server,
the larger its batches, and nobody waits for a batch to fill up. Questions go before passages, because somebody waits for
them, but never twice in a row while passages wait. Each batch takes from every client in turn, so that one who indexes a
large repository does not hold up the others, and is as long as the encoder takes a third of a second for, which is what
a question waits at most. (Shorter ones cost: texts of like length are computed together, and a small encoder took a third
longer for 256 passages at a time than for 512.) The thread chooses its next batch itself and never waits for the event
loop, which reads requests and writes answers meanwhile.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from retrieval.encoders import Encoder, Vectors
from retrieval.encoders.remote.protocol import Kind
from retrieval.errors import C2llmError, EncoderError

BATCH_SECONDS = 0.3  # of one batch
SLICE_TEXTS = 64  # that a client has in a batch before the next one's turn
READ_CHARACTERS = 20_000  # of one text that count: no model reads much more
TEXT_COST = 40  # characters that a text costs beside its own
LEAST_COST, FIRST_COST, MOST_COST = 2_000, 20_000, 2_000_000
MOST_WAITING = 64_000_000  # characters that may wait; more are refused and come again


class Overloaded(C2llmError):
    """So much is waiting that more would only be answered when nobody waits for it any more."""


@dataclass(eq=False, slots=True)
class Job:
    """The texts of one request."""

    kind: Kind
    texts: Sequence[str]
    done: asyncio.Future[Vectors]
    vectors: Vectors
    taken: int = 0
    missing: int = 0
    costs: list[int] = field(default_factory=list)


Part = tuple[Job, int, int]  # texts of a job, from and to


class Batcher:
    """One encoder, many askers, all on one event loop."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._loop = asyncio.get_running_loop()
        self._wake = threading.Condition()  # guards all below
        self._queries: deque[Job] = deque()
        self._passages: deque[Job] = deque()
        self._asked_last = False  # whether the last batch was of questions
        self._closing = False
        self._budget = float(FIRST_COST)
        self.waiting = 0  # characters that no batch has yet
        self._thread = threading.Thread(target=self._run, name="c2llm-embed", daemon=True)
        self._thread.start()

    async def embed(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """The vectors of some texts. Raises EncoderError, Overloaded."""
        vectors = np.zeros((len(texts), self._encoder.dimension), dtype=np.float32)
        if not texts:
            return vectors
        costs = [min(len(text), READ_CHARACTERS) + TEXT_COST for text in texts]
        job = Job(kind, texts, self._loop.create_future(), vectors, 0, len(texts), costs)
        with self._wake:
            if self.waiting and self.waiting + sum(costs) > MOST_WAITING:
                raise Overloaded("Too much is waiting to be embedded.")
            self.waiting += sum(costs)
            (self._queries if kind == "query" else self._passages).append(job)
            self._wake.notify()
        return await job.done  # cancelled where the client left: what of it is not begun is dropped

    async def close(self) -> None:
        """End once nothing waits any more."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        """The thread that embeds."""
        while True:
            with self._wake:
                while not (parts := self._choose()):
                    if self._closing:
                        return
                    self._wake.wait()
            texts = [text for job, start, end in parts for text in job.texts[start:end]]
            cost = sum(sum(job.costs[start:end]) for job, start, end in parts)
            started = time.perf_counter()
            try:
                found: Vectors | Exception = self._encode(texts, parts[0][0].kind)
            except Exception as error:
                found = error
            else:
                self._learn(cost, time.perf_counter() - started)
            with suppress(RuntimeError):  # the loop has ended, and nobody waits
                self._loop.call_soon_threadsafe(_deliver, parts, found)

    def _choose(self) -> list[Part]:
        """The next batch; empty where nothing waits. Jobs whose client left, or that failed, are dropped."""
        for waiting in (self._queries, self._passages):
            for job in [job for job in waiting if job.done.done()]:
                waiting.remove(job)
                self.waiting -= sum(job.costs[job.taken :])
        questions = bool(self._queries) and not (self._asked_last and self._passages)
        self._asked_last = questions
        return self._take(self._queries if questions else self._passages)

    def _take(self, waiting: deque[Job]) -> list[Part]:
        """From every job in turn, until the batch is long enough."""
        parts: list[Part] = []
        left = self._budget
        while waiting and left > 0:
            job = waiting.popleft()
            start = end = job.taken
            while end < len(job.texts) and end - start < SLICE_TEXTS and left > 0:
                left -= job.costs[end]
                end += 1
            job.taken = end
            self.waiting -= sum(job.costs[start:end])
            parts.append((job, start, end))
            if end < len(job.texts):
                waiting.append(job)
        return parts

    def _encode(self, texts: list[str], kind: Kind) -> Vectors:
        encode = self._encoder.encode_queries if kind == "query" else self._encoder.encode_passages
        vectors = np.asarray(encode(texts), dtype=np.float32)
        expected = (len(texts), self._encoder.dimension)
        if vectors.shape != expected or not np.isfinite(vectors).all():
            raise EncoderError(f"The encoder gave {vectors.shape} numbers where {expected} were expected, or none.")
        return vectors

    def _learn(self, cost: int, seconds: float) -> None:
        """How much is a batch. It at most doubles at a time: a first batch also warms the model up. One that was not
        full says nothing about longer ones.
        """
        fitting = cost * BATCH_SECONDS / max(seconds, 1e-6)
        if fitting < self._budget or cost >= self._budget / 2:
            self._budget = min(max(fitting, self._budget / 2, LEAST_COST), 2 * self._budget, MOST_COST)


def _deliver(parts: list[Part], found: Vectors | Exception) -> None:
    """On the event loop: what a batch gave, to who asked for it."""
    at = 0
    for job, start, end in parts:
        if isinstance(found, Exception):
            if not job.done.done():
                job.done.set_exception(found)
            continue
        job.vectors[start:end] = found[at : at + end - start]
        at += end - start
        job.missing -= end - start
        if not job.missing and not job.done.done():
            job.done.set_result(job.vectors)
