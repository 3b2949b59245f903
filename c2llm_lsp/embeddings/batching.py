"""Texts of many clients, embedded together.

One thread embeds; while it is at work, what arrives waits, and goes together into the next batch: the busier the server,
the larger its batches, and nobody waits for a batch to fill up. Questions go before passages, because somebody waits for
them, but never twice in a row while passages wait. Each batch takes from every client in turn, so that one who indexes a
large repository does not hold up the others, and is as long as the encoder takes a sixth of a second for, which is what
a question then waits at most. The next batch is chosen while one is computed: the thread is never idle for want of one.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from retrieval.encoders import Encoder, Vectors
from retrieval.encoders.remote.wire import Kind
from retrieval.errors import C2llmError, EncoderError

BATCH_SECONDS = 0.15  # of one batch
AHEAD = 2  # batches chosen: one is computed, one waits for it
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
    """One encoder, many askers. All methods belong to the event loop's thread."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._thread = ThreadPoolExecutor(1, "c2llm-embed")
        self._queries: deque[Job] = deque()
        self._passages: deque[Job] = deque()
        self.waiting = 0  # characters that no batch has yet
        self._running: set[asyncio.Task[None]] = set()
        self._budget = float(FIRST_COST)
        self._asked_last = False  # whether the last batch was of questions
        self.batches = self.texts = 0

    async def embed(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """The vectors of some texts. Raises EncoderError, Overloaded."""
        vectors = np.zeros((len(texts), self._encoder.dimension), dtype=np.float32)
        if not texts:
            return vectors
        costs = [min(len(text), READ_CHARACTERS) + TEXT_COST for text in texts]
        if self.waiting and self.waiting + sum(costs) > MOST_WAITING:
            raise Overloaded("Too much is waiting to be embedded.")
        job = Job(kind, texts, asyncio.get_running_loop().create_future(), vectors, 0, len(texts), costs)
        self.waiting += sum(costs)
        (self._queries if kind == "query" else self._passages).append(job)
        self._go_on()
        return await job.done  # cancelled where the client left: what of it is not begun is dropped

    async def close(self) -> None:
        """Wait for what is being computed."""
        while self._running:
            await asyncio.wait(set(self._running))
        self._thread.shutdown()

    def _go_on(self) -> None:
        """Choose batches while there is work and room."""
        while len(self._running) < AHEAD and (batch := self._choose()):
            task = asyncio.ensure_future(self._compute(batch))
            self._running.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._go_on()

    def _choose(self) -> list[Part]:
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

    async def _compute(self, parts: list[Part]) -> None:
        texts = [text for job, start, end in parts for text in job.texts[start:end]]
        cost = sum(sum(job.costs[start:end]) for job, start, end in parts)
        try:
            seconds, vectors = await asyncio.get_running_loop().run_in_executor(
                self._thread, self._encode, texts, parts[0][0].kind
            )
        except Exception as error:
            for job, _, _ in parts:
                if not job.done.done():
                    job.done.set_exception(error)
            return
        self.batches, self.texts = self.batches + 1, self.texts + len(texts)
        self._learn(cost, seconds)
        at = 0
        for job, start, end in parts:
            job.vectors[start:end] = vectors[at : at + end - start]
            at += end - start
            job.missing -= end - start
            if not job.missing and not job.done.done():
                job.done.set_result(job.vectors)

    def _encode(self, texts: list[str], kind: Kind) -> tuple[float, Vectors]:
        """In the one thread that embeds."""
        started = time.perf_counter()
        encode = self._encoder.encode_queries if kind == "query" else self._encoder.encode_passages
        vectors = np.asarray(encode(texts), dtype=np.float32)
        expected = (len(texts), self._encoder.dimension)
        if vectors.shape != expected or not np.isfinite(vectors).all():
            raise EncoderError(f"The encoder gave {vectors.shape} numbers where {expected} were expected, or none.")
        return time.perf_counter() - started, vectors

    def _learn(self, cost: int, seconds: float) -> None:
        """How much is a batch. It at most doubles at a time: a first batch also warms the model up."""
        fitting = cost * BATCH_SECONDS / max(seconds, 1e-6)
        self._budget = min(max(fitting, self._budget / 2, LEAST_COST), 2 * self._budget, MOST_COST)
