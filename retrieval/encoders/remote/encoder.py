"""An encoder on another machine, or in another process of this one.

Passages go in batches, some at a time, each about as long as the server takes a second for: that keeps a GPU busy and a
laptop responsive. A batch that the server finds too large is halved, and so is, at the end, a text. What the server
cannot do now is asked again, waiting as long as it says; a server that is down is reported at once. Questions never
wait: one that is not answered in seconds goes by words.
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
from retrieval.encoders.remote.circuit_breaker import Line, embed, line_to
from retrieval.encoders.remote.client import Again, Refused, plain
from retrieval.encoders.remote.protocol import Kind
from retrieval.encoders.remote.server_cache import Known
from retrieval.errors import Cancelled, EncoderUnreachableError

PATIENCE = 60.0  # seconds that a batch of passages waits, in all, for a server that asks to wait
INTRODUCTION = 20.0  # seconds to wait for a server that is asked for the first time
QUESTION_SECONDS = 3.0  # longer than a busy server of ours takes; words answer then
BATCH_SECONDS = 60.0  # for one batch, whose length follows the server's speed
PARALLEL = 4  # batches under way: while one is computed the others travel
TEXT_CHARACTERS = 100_000  # of one text: more than a window of 32,768 tokens holds of code
SHORT_TEXT = 1_000  # characters; a server that refuses so little does not do so for its length
LEAST_TEXTS, MOST_TEXTS = 1, 256  # of one batch
MOST_CHARACTERS = 250_000  # of one batch; OpenAI takes 300,000 tokens, others less
FIRST_TEXTS = 16
QUICK, SLOW = 1.0, 5.0  # seconds that a batch should take at least and at most
FIRST_DELAY, MOST_DELAY = 0.5, 20.0  # seconds before a batch is sent again
LISTENING = 0.1  # seconds between two looks at whether to stop
# 400 and 422 too: what is too long is told as a mistake of the request by most.
_TOO_LARGE = (400, 413, 422)
_BLANK = "."  # in place of text without a word, which many servers refuse


def _never() -> bool:
    return False


class Pace:
    """How many texts a batch has: as many as take the server about a second."""

    def __init__(self) -> None:
        self.texts = FIRST_TEXTS
        self._most = MOST_TEXTS

    def end(self, texts: Sequence[str], start: int) -> int:
        """Where a batch that begins at `start` ends."""
        end, characters = start + 1, len(texts[start])
        while end < len(texts) and end - start < self.texts and characters + len(texts[end]) <= MOST_CHARACTERS:
            characters += len(texts[end])
            end += 1
        return end

    def took(self, texts: int, seconds: float) -> None:
        if seconds < QUICK and texts >= self.texts:
            self.texts = min(2 * self.texts, self._most)
        elif seconds > SLOW:
            self.slower()

    def slower(self) -> None:
        self.texts = max(LEAST_TEXTS, self.texts // 2)

    def at_most(self, texts: int) -> None:
        """The server took no more."""
        self._most = max(LEAST_TEXTS, texts)
        self.texts = min(self.texts, self._most)


class RemoteEncoder:
    """Safe to use from several threads. `available` and `outdated` say whether it is worth asking."""

    def __init__(self, line: Line, known: Known, *, patience: float = PATIENCE) -> None:
        self._line, self._known, self._patience = line, known, patience
        self._pace = Pace()

    @property
    def name(self) -> str:
        return f"{plain(self._known.model)} at {self._line.address.host}"

    @property
    def fingerprint(self) -> str:
        """Names endpoint, model and dimension; a hash of all that decides about a vector goes before."""
        known, address = self._known, self._line.address
        told = f":{known.fingerprint}" if known.fingerprint else ""
        return f"remote-{address.digest}:{address.url}#{plain(known.model)}:{known.dimension}{told}"

    @property
    def dimension(self) -> int:
        return self._known.dimension

    @property
    def available(self) -> bool:
        """Whether the server is not known to be down. Never asks it."""
        return self._line.up

    @property
    def outdated(self) -> bool:
        """Whether the server has become another one: this encoder is of no more use, `load` gives the new one."""
        known = self._line.known
        return known is not None and known != self._known

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Never waits long. Raises EncoderUnreachableError, EncoderError."""
        self._line.require(question=True)
        return self._gathered(texts, self._ask)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Waits for a busy server. Raises EncoderUnreachableError, EncoderError."""
        return self.encode_passages_until(texts, _never)

    def encode_passages_until(self, texts: Sequence[str], stop: Callable[[], bool]) -> Vectors:
        """The same, but for `stop`, which is looked at meanwhile. Raises Cancelled as well."""
        self._line.require()
        work = _Batches(self, texts)
        self._line.working(1)
        try:
            return work.done(stop)
        finally:
            self._line.working(-1)

    def _gathered(self, texts: Sequence[str], ask: Callable[[list[str]], Vectors]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        start = 0
        while start < len(texts):
            end = self._pace.end(texts, start)
            vectors[start:end] = ask(list(texts[start:end]))
            start = end
        return vectors

    def _ask(self, texts: list[str]) -> Vectors:
        """Some queries. A connection that was closed while nobody used it is no reason to give up."""
        for attempt in range(2):
            try:
                vectors = self._shrinking(texts, "query", QUESTION_SECONDS)
            except Again as error:
                if error.why == "down" and not attempt:
                    continue
                raise self._line.unanswered(error) from None
            self._line.answered()
            return vectors
        raise AssertionError("unreachable")

    def _batch(self, texts: list[str], halt: threading.Event) -> Vectors:
        """Some passages, asked for until there is an answer."""
        waited, attempt = 0.0, 0
        while True:
            try:
                return self._shrinking(texts, "document", BATCH_SECONDS)
            except Again as error:
                delay = self._delay(error, attempt)
                if error.why == "slow":
                    self._pace.slower()
                if error.why == "slow" or (error.why == "down" and attempt) or waited + delay > self._patience:
                    raise self._line.fail(str(error)) from None
                if wait(halt, delay):
                    raise Cancelled("Embedding was given up.") from None
                waited, attempt = waited + delay, attempt + 1

    def _delay(self, error: Again, attempt: int) -> float:
        """As long as the server says, else longer each time; never all clients at once."""
        growing = min(FIRST_DELAY * 2.0**attempt, MOST_DELAY) * random.uniform(0.5, 1.0)
        return growing if error.after is None else error.after + min(growing, 1.0)

    def _shrinking(self, texts: list[str], kind: Kind, seconds: float) -> Vectors:
        """The vectors of texts, in parts where the server finds them too much."""
        try:
            return self._once(texts, kind, seconds)
        except Refused as error:
            if error.status not in _TOO_LARGE:
                raise
            if len(texts) == 1:
                if len(texts[0]) <= SHORT_TEXT:
                    raise
                return self._shrinking([texts[0][: min(len(texts[0]), TEXT_CHARACTERS) // 2]], kind, seconds)
        half = len(texts) // 2
        first = self._shrinking(texts[:half], kind, seconds)
        self._pace.at_most(max(half, LEAST_TEXTS))
        return np.concatenate([first, self._shrinking(texts[half:], kind, seconds)])

    def _once(self, texts: list[str], kind: Kind, seconds: float) -> Vectors:
        line, known = self._line, self._known
        before = line.address.query if kind == "query" else line.address.passage
        started = time.monotonic()
        sent = [before + self._sendable(text) for text in texts]
        vectors, fingerprint = embed(line.client, line.address, known, sent, kind, seconds)
        if vectors.shape[1] != known.dimension or fingerprint != known.fingerprint:
            raise line.another(known)
        self._pace.took(len(texts), time.monotonic() - started)
        return vectors

    def _sendable(self, text: str) -> str:
        """Cut to what can matter, with question marks for lone surrogates, which no UTF-8 can carry."""
        cut = text[:TEXT_CHARACTERS]
        cut = cut if cut.isascii() else cut.encode("utf-8", "replace").decode("utf-8")
        return cut if cut.strip() or self._known.input_type else _BLANK


def wait(halt: threading.Event, seconds: float) -> bool:
    """Let time pass between two attempts; whether the call was given up meanwhile."""
    return halt.wait(seconds)


class _Batches:
    """The batches of one call, some under way at a time, each on a thread that nobody has to wait for at the end."""

    def __init__(self, encoder: RemoteEncoder, texts: Sequence[str]) -> None:
        self._encoder, self._texts = encoder, texts
        self._results: queue.SimpleQueue[tuple[int, Vectors | BaseException]] = queue.SimpleQueue()
        self._halt = threading.Event()

    def done(self, stop: Callable[[], bool]) -> Vectors:
        texts, encoder = self._texts, self._encoder
        vectors = np.zeros((len(texts), encoder.dimension), dtype=np.float32)
        start = running = 0
        try:
            while start < len(texts) or running:
                while start < len(texts) and running < PARALLEL:
                    end = encoder._pace.end(texts, start)
                    self._start(start, end)
                    start, running = end, running + 1
                place, result = self._next(stop)
                if isinstance(result, BaseException):
                    raise result
                vectors[place : place + len(result)] = result
                running -= 1
        finally:
            self._halt.set()
        return vectors

    def _start(self, start: int, end: int) -> None:
        some = list(self._texts[start:end])
        threading.Thread(target=self._run, args=(start, some), name="c2llm-remote", daemon=True).start()

    def _run(self, start: int, some: list[str]) -> None:
        try:
            self._results.put((start, self._encoder._batch(some, self._halt)))
        except BaseException as error:
            self._results.put((start, error))

    def _next(self, stop: Callable[[], bool]) -> tuple[int, Vectors | BaseException]:
        while True:
            if stop():
                raise Cancelled("Embedding was given up.")
            try:
                return self._results.get(timeout=LISTENING)
            except queue.Empty:
                continue


def connect(address: str | Address, *, patience: float | None = None, folder: Path | None = None) -> RemoteEncoder:
    """The encoder behind an address. What is known of it from before, in `folder` or this process, is not asked again;
    else it is waited for, at most `patience` seconds.

    Raises ModelError for an address or server that cannot be used, EncoderUnreachableError, MissingExtraError.
    """
    line = line_to(parse(address) if isinstance(address, str) else address, folder)
    line.address.key()
    line.client.ready()
    return RemoteEncoder(line, line.introduce(INTRODUCTION if patience is None else patience))


__all__ = ["EncoderUnreachableError", "RemoteEncoder", "connect"]
