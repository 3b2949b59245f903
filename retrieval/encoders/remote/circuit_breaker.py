"""One server as this process knows it: what it is, and whether it can be had now.

Nobody waits twice for a server that is down. Who finds it so says so; from then on everybody is told at once that it is
down, while a thread of its own asks the server now and then until it answers. That thread embeds a word: a server whose
front answers while its model hangs is down too.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from pathlib import Path

import msgspec

from retrieval.encoders.remote import protocol
from retrieval.encoders.remote.address import Address
from retrieval.encoders.remote.client import Again, Client, Refused, plain
from retrieval.encoders.remote.server_cache import Known, recall, remember
from retrieval.errors import C2llmError, EncoderError, EncoderUnreachableError, ModelError

logger = logging.getLogger(__name__)

SAMPLE = "def add(left, right): return left + right"
PROBE_SECONDS = 60.0  # some servers load a model at the first question
PROBE_DELAYS = (1.0, 2.0, 4.0, 8.0, 15.0)  # between two looks at a server that is down; the last one repeats
INTEREST = 120.0  # seconds after which a server that nobody asks for is not looked at any more
QUERY_REST = (5.0, 10.0, 30.0, 60.0)  # that questions go by words after so many were not answered in time


class Line:
    """The line to one server, shared by all encoders of its address."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.client = Client(address)
        self.known: Known | None = None
        self.folder: Path | None = None  # where what is known is kept
        self._change = threading.Condition()
        self._down = ""  # why
        self._failed: C2llmError | None = None  # what the last look found, where that is not an outage
        self._looking = False
        self._asked = 0.0  # when the first look began
        self._wanted = 0.0  # when somebody last asked
        self._working = 0  # batches of passages under way
        self._unanswered = 0  # questions in a row that were not answered in time
        self._rested = 0.0  # until when questions go by words

    # -- who asks ---------------------------------------------------------------------------------------------------

    @property
    def up(self) -> bool:
        """Whether it is worth asking; looks after a server that is down."""
        with self._change:
            self._wanted = time.monotonic()
            if self._down:
                self._look()
            return not self._down

    def require(self, *, question: bool = False) -> None:
        """Raise EncoderUnreachableError, at once, while the server is down or slow."""
        if not self.up:
            raise self.outage(self._down)
        if question and time.monotonic() < self._rested:
            raise self.outage("is slow to answer now")

    def introduce(self, patience: float) -> Known:
        """What the server is, asked for at the first time and waited for at most so many seconds.

        Raises EncoderUnreachableError, and ModelError or EncoderError where it is no server for us.
        """
        self.require()
        with self._change:
            if self.known is None:
                self.known = recall(self.folder, self.address)
            if self.known is None:
                if not self._looking:
                    self._failed, self._asked = None, time.monotonic()
                    self._look(at_once=True)
                left = self._asked + patience - time.monotonic()  # the next one does not wait as long once more
                self._change.wait_for(lambda: self.known or self._down or self._failed, timeout=max(left, 0.0))
            if self.known is not None:
                return self.known
            if self._failed is not None:
                raise self._failed
        raise self.outage(self._down or "has not answered yet")

    # -- what was found ---------------------------------------------------------------------------------------------

    def working(self, batches: int) -> None:
        with self._change:
            self._working += batches

    def answered(self) -> None:
        self._unanswered, self._rested = 0, 0.0

    def unanswered(self, error: Again) -> EncoderUnreachableError:
        """A question was not answered. While passages are under way that is no outage: it waits behind them."""
        with self._change:
            if error.why == "down" or (error.why == "slow" and not self._working):
                return self._fail(str(error))
            rest = QUERY_REST[min(self._unanswered, len(QUERY_REST) - 1)]
            self._unanswered += 1
            self._rested = time.monotonic() + (error.after if error.after is not None else rest)
            return self.outage(str(error))

    def fail(self, why: str) -> EncoderUnreachableError:
        """The server is down: for everybody, until a look finds it up."""
        with self._change:
            return self._fail(why)

    def another(self, known: Known) -> EncoderUnreachableError:
        """The server has become another one than `known`: look what it is now."""
        with self._change:
            if self.known is known:
                self.known = None
                self._fail("has another model than before")
        return self.outage("has another model than before: code is embedded anew with it")

    def outage(self, why: str) -> EncoderUnreachableError:
        return EncoderUnreachableError(
            f"The embeddings server at {self.address.host} {why}. It is asked again by itself."
        )

    def _fail(self, why: str) -> EncoderUnreachableError:
        self._down = self._down or why
        self._wanted = time.monotonic()
        self._look(at_once=self.known is None)
        return self.outage(why)

    # -- looking ----------------------------------------------------------------------------------------------------

    def _look(self, *, at_once: bool = False) -> None:
        if not self._looking:
            self._looking = True
            name = f"c2llm-server {self.address.host}"
            threading.Thread(target=self._watch, args=(at_once,), name=name, daemon=True).start()

    def _watch(self, at_once: bool) -> None:
        """Look until the server is up, or nobody cares."""
        tries = 0
        while True:
            if tries or not at_once:
                delay = PROBE_DELAYS[min(tries, len(PROBE_DELAYS) - 1)]
                time.sleep(delay * random.uniform(0.7, 1.0))  # a team's clients do not come back all at once
            tries += 1
            if self._looked():
                return

    def _looked(self) -> bool:
        """Whether looking is over."""
        known: Known | None = None
        down, failed = "", None
        try:
            known = meet(self.client, self.address)
        except Again as error:
            down = str(error)
        except C2llmError as error:
            failed = error
        except Exception as error:
            logger.exception("Looking for an embeddings server failed.")
            failed = EncoderError(f"The embeddings server at {self.address.host} cannot be asked: {error}.")
        if known is not None:
            remember(self.folder, self.address, known)
        with self._change:
            if known is not None and known != self.known:
                self.known = known
            self._failed = failed
            # A refusal ends an outage: the next one who asks is told of it.
            self._down = down
            over = not down or time.monotonic() - self._wanted > INTEREST
            self._looking = not over
            if not down:
                self._unanswered, self._rested = 0, 0.0
            self._change.notify_all()
            return over


def meet(client: Client, address: Address) -> Known:
    """Ask a server what it is and for one vector. Raises Again, Refused, ModelError, EncoderError."""
    entry = _entry(client, address)
    known = Known(
        url=address.url,
        model=entry.id if entry is not None else address.model,
        dimension=0,
        input_type=entry is not None and entry.c2llm is not None and "query" in entry.c2llm.input_type,
    )
    try:
        vectors, fingerprint = embed(client, address, known, [SAMPLE], "document", PROBE_SECONDS)
    except Refused as error:
        if error.status not in (400, 422):
            raise
        known = msgspec.structs.replace(known, base64=False)
        vectors, fingerprint = embed(client, address, known, [SAMPLE], "document", PROBE_SECONDS)
    return msgspec.structs.replace(known, dimension=vectors.shape[1], fingerprint=fingerprint)


def _entry(client: Client, address: Address) -> protocol.Model | None:
    """The model in the server's list; None where it has no list and the address names the model."""
    try:
        content, _ = client.get("/models", seconds=PROBE_SECONDS)
        models = msgspec.json.decode(content, type=protocol.Models).data
    except (Refused, msgspec.DecodeError, UnicodeDecodeError) as error:
        if isinstance(error, Refused) and error.status in (401, 403):
            raise
        models = []
    for model in models:
        if address.model in (model.id, ""):
            if len(models) > 1 and not address.model:
                break
            return model
    if address.model:
        return None  # lists are incomplete: some show only what is loaded
    names = ", ".join(plain(model.id) for model in models[:8])
    known = f"It has {names}." if names else "It does not list any."
    raise ModelError(f"Say which model of {address.url} to use, as {address.url}#MODEL. {known}")


def embed(
    client: Client, address: Address, known: Known, texts: list[str], kind: protocol.Kind, seconds: float
) -> tuple[protocol.Vectors, str]:
    """The vectors of some texts, and the fingerprint of the encoder that made them, where the server tells.

    Raises Again, Refused, and EncoderError for what is no answer.
    """
    body = protocol.Ask(
        model=known.model,
        input=list(texts),
        encoding_format="base64" if known.base64 else "float",
        dimensions=address.dimensions or None,
        input_type=kind if known.input_type else "",
    )
    content, headers = client.post("/embeddings", msgspec.json.encode(body), seconds=seconds)
    try:
        vectors = protocol.matrix(msgspec.json.decode(content, type=protocol.Answer), len(texts))
    except (msgspec.DecodeError, UnicodeDecodeError):
        what = "a web page" if content.lstrip()[:1] == b"<" else "something that is no list of vectors"
        raise EncoderError(f"{address.url}/embeddings answers with {what}: check the encoder's address.") from None
    except protocol.Nonsense as error:
        raise EncoderError(f"The embeddings server at {address.host} gave {error}.") from None
    return vectors, plain(headers.get(protocol.FINGERPRINT_HEADER, ""))


_LINES: dict[Address, Line] = {}
_LINES_LOCK = threading.Lock()


def line_to(address: Address, folder: Path | None = None) -> Line:
    """The line to this address, the same one for all of this process."""
    with _LINES_LOCK:
        line = _LINES.setdefault(address, Line(address))
        line.folder = line.folder or folder
        return line
