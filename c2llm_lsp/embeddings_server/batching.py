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
MIN_COST, FIRST_COST, MAX_COST = 2_000, 20_000, 2_000_000
MAX_WAITING = 64_000_000  # characters that may wait; more are refused and come again


class Overloaded(C2llmError):
    """The queue is so long that clients would give up before their turn."""


@dataclass(eq=False, slots=True)
class EmbeddingRequest:
    """The texts of one request."""

    kind: Kind
    texts: Sequence[str]
    done: asyncio.Future[Vectors]
    vectors: Vectors
    taken: int = 0
    missing: int = 0
    costs: list[int] = field(default_factory=list)


Slice = tuple[EmbeddingRequest, int, int]  # a request, and the range of its texts in a batch


class Batcher:
    """Batches the requests of many clients for one encoder, on one event loop."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._loop = asyncio.get_running_loop()
        self._wake = threading.Condition()  # guards all below
        self._queries: deque[EmbeddingRequest] = deque()
        self._passages: deque[EmbeddingRequest] = deque()
        self._queries_last = False  # whether the last batch was of questions
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
        request = EmbeddingRequest(kind, texts, self._loop.create_future(), vectors, 0, len(texts), costs)
        with self._wake:
            if self.waiting and self.waiting + sum(costs) > MAX_WAITING:
                raise Overloaded("The embedding queue is full.")
            self.waiting += sum(costs)
            (self._queries if kind == "query" else self._passages).append(request)
            self._wake.notify()
        return await request.done  # cancelled where the client left: what of it is not begun is dropped

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
                while not (slices := self._choose()):
                    if self._closing:
                        return
                    self._wake.wait()
            texts = [text for request, start, end in slices for text in request.texts[start:end]]
            cost = sum(sum(request.costs[start:end]) for request, start, end in slices)
            started = time.perf_counter()
            try:
                result: Vectors | Exception = self._encode(texts, slices[0][0].kind)
            except Exception as error:
                result = error
            else:
                self._learn(cost, time.perf_counter() - started)
            with suppress(RuntimeError):  # the loop has ended, and nobody waits
                self._loop.call_soon_threadsafe(_deliver, slices, result)

    def _choose(self) -> list[Slice]:
        """The next batch; empty where nothing waits. Jobs whose client left, or that failed, are dropped."""
        for waiting in (self._queries, self._passages):
            for request in [request for request in waiting if request.done.done()]:
                waiting.remove(request)
                self.waiting -= sum(request.costs[request.taken :])
        questions = bool(self._queries) and not (self._queries_last and self._passages)
        self._queries_last = questions
        return self._take(self._queries if questions else self._passages)

    def _take(self, waiting: deque[EmbeddingRequest]) -> list[Slice]:
        """From every job in turn, until the batch is long enough."""
        slices: list[Slice] = []
        left = self._budget
        while waiting and left > 0:
            request = waiting.popleft()
            start = end = request.taken
            while end < len(request.texts) and end - start < SLICE_TEXTS and left > 0:
                left -= request.costs[end]
                end += 1
            request.taken = end
            self.waiting -= sum(request.costs[start:end])
            slices.append((request, start, end))
            if end < len(request.texts):
                waiting.append(request)
        return slices

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
            self._budget = min(max(fitting, self._budget / 2, MIN_COST), 2 * self._budget, MAX_COST)


def _deliver(slices: list[Slice], result: Vectors | Exception) -> None:
    """On the event loop: hand the vectors of a batch to its requests."""
    at = 0
    for request, start, end in slices:
        if isinstance(result, Exception):
            if not request.done.done():
                request.done.set_exception(result)
            continue
        request.vectors[start:end] = result[at : at + end - start]
        at += end - start
        request.missing -= end - start
        if not request.missing and not request.done.done():
            request.done.set_result(request.vectors)
