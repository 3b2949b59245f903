"""An encoder on another machine, or in another local process.

Passages are sent in parallel batches that take the server about a second each: that keeps a GPU busy and a laptop
responsive. A batch that is too large for the server is halved, and finally a single text. Temporary errors are retried after
the delay that the server requests; a server that is down is reported at once. Queries never wait: after a few seconds
search falls back to keywords.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from retrieval.encoders.protocol import Vectors
from retrieval.encoders.remote.address import Address, parse
from retrieval.encoders.remote.circuit_breaker import CircuitBreaker, breaker_for, embed
from retrieval.encoders.remote.client import RequestRejectedError, TemporaryError, sanitize
from retrieval.encoders.remote.protocol import Kind
from retrieval.encoders.remote.server_cache import CachedServer
from retrieval.errors import CancelledError, EncoderUnreachableError

PATIENCE = 60.0  # seconds that a batch of passages waits, in all, for a server that asks to wait
FIRST_CONTACT_SECONDS = 20.0  # seconds to wait for a server that is asked for the first time
QUERY_TIMEOUT_SECONDS = 3.0  # longer than our server needs under load; then keyword search answers
BATCH_TIMEOUT_SECONDS = 60.0  # for one batch, whose size adapts to the server's speed
PARALLEL_BATCHES = 4  # batches in flight: while one is computed the others are transferred
TEXT_CHARACTERS = 100_000  # of one text: more than a window of 32,768 tokens holds of code
SHORT_TEXT = 1_000  # characters; a server that refuses so little does not do so for its length
MIN_TEXTS, MAX_TEXTS = 1, 256  # of one batch
MAX_BATCH_CHARACTERS = 250_000  # of one batch; OpenAI takes 300,000 tokens, others less
FIRST_TEXTS = 16
MIN_BATCH_SECONDS, MAX_BATCH_SECONDS = 1.0, 5.0  # seconds that a batch should take at least and at most
FIRST_DELAY, MAX_DELAY = 0.5, 20.0  # seconds before a batch is sent again
STOP_POLL_SECONDS = 0.1  # seconds between two checks of the stop condition
# 400 and 422 too: most servers report too long input as a bad request.
_TOO_LARGE = (400, 413, 422)
_BLANK = "."  # replaces blank text, which many servers reject


def _never() -> bool:
    return False


class RequestSizer:
    """Adapts how many texts a request has, so that it takes the server about a second."""

    def __init__(self) -> None:
        self.texts = FIRST_TEXTS
        self._max_texts = MAX_TEXTS

    def end(self, texts: Sequence[str], start: int) -> int:
        """The end of a batch that begins at `start`."""
        end, characters = start + 1, len(texts[start])
        while end < len(texts) and end - start < self.texts and characters + len(texts[end]) <= MAX_BATCH_CHARACTERS:
            characters += len(texts[end])
            end += 1
        return end

    def record(self, texts: int, seconds: float) -> None:
        if seconds < MIN_BATCH_SECONDS and texts >= self.texts:
            self.texts = min(2 * self.texts, self._max_texts)
        elif seconds > MAX_BATCH_SECONDS:
            self.shrink()

    def shrink(self) -> None:
        self.texts = max(MIN_TEXTS, self.texts // 2)

    def limit_to(self, texts: int) -> None:
        """The server rejected more."""
        self._max_texts = max(MIN_TEXTS, texts)
        self.texts = min(self.texts, self._max_texts)


class RemoteEncoder:
    """Thread-safe. `available` and `outdated` say whether it is worth asking."""

    def __init__(self, breaker: CircuitBreaker, server: CachedServer, *, patience: float = PATIENCE) -> None:
        self._breaker, self._server, self._patience = breaker, server, patience
        self._request_sizer = RequestSizer()

    @property
    def name(self) -> str:
        return f"{sanitize(self._server.model)} at {self._breaker.address.host}"

    @property
    def fingerprint(self) -> str:
        """Names endpoint, model and dimension; a hash of all that decides about a vector goes before."""
        server, address = self._server, self._breaker.address
        fingerprint_part = f":{server.fingerprint}" if server.fingerprint else ""
        return f"remote-{address.digest}:{address.url}#{sanitize(server.model)}:{server.dimension}{fingerprint_part}"

    @property
    def dimension(self) -> int:
        return self._server.dimension

    @property
    def available(self) -> bool:
        """Whether the server is not known to be down; sends no request."""
        return self._breaker.up

    @property
    def outdated(self) -> bool:
        """Whether the server now runs another encoder: `load` returns the new one."""
        server = self._breaker.server
        return server is not None and server != self._server

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Never waits long. Raises EncoderUnreachableError, EncoderError."""
        self._breaker.require(for_query=True)
        return self._embed_in_batches(texts, self._ask)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Waits for a busy server. Raises EncoderUnreachableError, EncoderError."""
        return self.encode_passages_until(texts, _never)

    def encode_passages_until(self, texts: Sequence[str], stop: Callable[[], bool]) -> Vectors:
        """As `encode_passages`, but checks `stop` while waiting. Raises CancelledError as well."""
        self._breaker.require()
        batches = _ParallelBatches(self, texts)
        self._breaker.add_running_batches(1)
        try:
            return batches.done(stop)
        finally:
            self._breaker.add_running_batches(-1)

    def _embed_in_batches(self, texts: Sequence[str], embed_batch: Callable[[list[str]], Vectors]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        start = 0
        while start < len(texts):
            end = self._request_sizer.end(texts, start)
            vectors[start:end] = embed_batch(list(texts[start:end]))
            start = end
        return vectors

    def _ask(self, texts: list[str]) -> Vectors:
        """Embed some queries. A connection that was closed while idle is retried once."""
        for attempt in range(2):
            try:
                vectors = self._embed_splitting(texts, "query", QUERY_TIMEOUT_SECONDS)
            except TemporaryError as error:
                if error.why == "down" and not attempt:
                    continue
                raise self._breaker.record_query_failure(error) from None
            self._breaker.record_success()
            return vectors
        raise AssertionError("unreachable")

    def _embed_passage_batch(self, texts: list[str], stop_event: threading.Event) -> Vectors:
        """Embed some passages, with retries."""
        waited, attempt = 0.0, 0
        while True:
            try:
                return self._embed_splitting(texts, "document", BATCH_TIMEOUT_SECONDS)
            except TemporaryError as error:
                delay = self._delay(error, attempt)
                if error.why == "slow":
                    self._request_sizer.shrink()
                if error.why == "slow" or (error.why == "down" and attempt) or waited + delay > self._patience:
                    raise self._breaker.fail(str(error)) from None
                if wait(stop_event, delay):
                    raise CancelledError("Embedding cancelled.") from None
                waited, attempt = waited + delay, attempt + 1

    def _delay(self, error: TemporaryError, attempt: int) -> float:
        """The server's Retry-After, else exponential backoff with jitter."""
        growing = min(FIRST_DELAY * 2.0**attempt, MAX_DELAY) * random.uniform(0.5, 1.0)
        return growing if error.after is None else error.after + min(growing, 1.0)

    def _embed_splitting(self, texts: list[str], kind: Kind, seconds: float) -> Vectors:
        """The vectors of texts, split where the server rejects them as too large."""
        try:
            return self._embed_once(texts, kind, seconds)
        except RequestRejectedError as error:
            if error.status not in _TOO_LARGE:
                raise
            if len(texts) == 1:
                if len(texts[0]) <= SHORT_TEXT:
                    raise
                return self._embed_splitting([texts[0][: min(len(texts[0]), TEXT_CHARACTERS) // 2]], kind, seconds)
        half = len(texts) // 2
        first = self._embed_splitting(texts[:half], kind, seconds)
        self._request_sizer.limit_to(max(half, MIN_TEXTS))
        return np.concatenate([first, self._embed_splitting(texts[half:], kind, seconds)])

    def _embed_once(self, texts: list[str], kind: Kind, seconds: float) -> Vectors:
        breaker, server = self._breaker, self._server
        before = breaker.address.query if kind == "query" else breaker.address.passage
        started = time.monotonic()
        sent = [before + self._prepare_text(text) for text in texts]
        vectors, fingerprint = embed(breaker.client, breaker.address, server, sent, kind, seconds)
        if vectors.shape[1] != server.dimension or fingerprint != server.fingerprint:
            raise breaker.server_changed(server)
        self._request_sizer.record(len(texts), time.monotonic() - started)
        return vectors

    def _prepare_text(self, text: str) -> str:
        """Truncated, with question marks for lone surrogates, which UTF-8 cannot encode."""
        cut = text[:TEXT_CHARACTERS]
        cut = cut if cut.isascii() else cut.encode("utf-8", "replace").decode("utf-8")
        return cut if cut.strip() or self._server.input_type else _BLANK


def wait(stop_event: threading.Event, seconds: float) -> bool:
    """Let time pass between two attempts; whether the call was given up meanwhile."""
    return stop_event.wait(seconds)


class _ParallelBatches:
    """The batches of one call, several in flight, each on a daemon thread."""

    def __init__(self, encoder: RemoteEncoder, texts: Sequence[str]) -> None:
        self._encoder, self._texts = encoder, texts
        self._results: queue.SimpleQueue[tuple[int, Vectors | BaseException]] = queue.SimpleQueue()
        self._stop_event = threading.Event()

    def done(self, stop: Callable[[], bool]) -> Vectors:
        texts, encoder = self._texts, self._encoder
        vectors = np.zeros((len(texts), encoder.dimension), dtype=np.float32)
        start = running = 0
        try:
            while start < len(texts) or running:
                while start < len(texts) and running < PARALLEL_BATCHES:
                    end = encoder._request_sizer.end(texts, start)
                    self._start(start, end)
                    start, running = end, running + 1
                offset, result = self._next(stop)
                if isinstance(result, BaseException):
                    raise result
                vectors[offset : offset + len(result)] = result
                running -= 1
        finally:
            self._stop_event.set()
        return vectors

    def _start(self, start: int, end: int) -> None:
        texts_of_batch = list(self._texts[start:end])
        threading.Thread(target=self._run, args=(start, texts_of_batch), name="c2llm-remote", daemon=True).start()

    def _run(self, start: int, texts_of_batch: list[str]) -> None:
        try:
            self._results.put((start, self._encoder._embed_passage_batch(texts_of_batch, self._stop_event)))
        except BaseException as error:
            self._results.put((start, error))

    def _next(self, stop: Callable[[], bool]) -> tuple[int, Vectors | BaseException]:
        while True:
            if stop():
                raise CancelledError("Embedding cancelled.")
            try:
                return self._results.get(timeout=STOP_POLL_SECONDS)
            except queue.Empty:
                continue


def connect(address: str | Address, *, patience: float | None = None, folder: Path | None = None) -> RemoteEncoder:
    """The encoder behind an address. A server known from this process or cached in `folder`
    is not contacted; else this waits at most `patience` seconds for it.

    Raises ModelError for an address or server that cannot be used, EncoderUnreachableError, MissingExtraError.
    """
    breaker = breaker_for(parse(address) if isinstance(address, str) else address, folder)
    breaker.address.key()
    breaker.client.ready()
    return RemoteEncoder(breaker, breaker.describe_server(FIRST_CONTACT_SECONDS if patience is None else patience))


__all__ = ["EncoderUnreachableError", "RemoteEncoder", "connect"]
