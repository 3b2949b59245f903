"""The circuit breaker for one embeddings server: what the server is, and whether it is available.

No caller waits for a server that is known to be down. The first failure opens the circuit; from then on every call fails at
once, while a background thread probes the server until it answers. A probe embeds a text: a server that accepts requests
while its model hangs is down too.
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
from retrieval.encoders.remote.client import Client, RequestRejectedError, TemporaryError, sanitize
from retrieval.encoders.remote.server_cache import CachedServer, read_cache, write_cache
from retrieval.errors import C2llmError, EncoderError, EncoderUnreachableError, ModelError

logger = logging.getLogger(__name__)

SAMPLE = "def add(left, right): return left + right"
PROBE_SECONDS = 60.0  # some servers load a model at the first request
PROBE_DELAYS = (1.0, 2.0, 4.0, 8.0, 15.0)  # between two probes of a server that is down; the last one repeats
PROBE_IDLE_SECONDS = 120.0  # seconds without a request after which probing stops
QUERY_PAUSES = (
    5.0,
    10.0,
    30.0,
    60.0,
)  # seconds during which queries use keyword search, by consecutive failures


class CircuitBreaker:
    """The state of one server, shared by all encoders of its address."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.client = Client(address)
        self.server: CachedServer | None = None
        self.folder: Path | None = None  # where server descriptions are cached
        self._condition = threading.Condition()
        self._down_reason = ""  # the reason, empty while the circuit is closed
        self._probe_error: C2llmError | None = None  # error of the last probe that is not an outage
        self._probing = False
        self._first_probe = 0.0  # start of the first probe
        self._last_request = 0.0  # time of the last request
        self._running_batches = 0  # passage batches in progress
        self._failed_queries = 0  # consecutive queries without a timely answer
        self._queries_paused_until = 0.0  # end of the keyword-only period

    # -- callers ---------------------------------------------------------------------------------------------------

    @property
    def up(self) -> bool:
        """Whether the circuit is closed; starts probing if it is open."""
        with self._condition:
            self._last_request = time.monotonic()
            if self._down_reason:
                self._start_probing()
            return not self._down_reason

    def require(self, *, for_query: bool = False) -> None:
        """Raise EncoderUnreachableError, at once, while the server is down or slow."""
        if not self.up:
            raise self.unreachable(self._down_reason)
        if for_query and time.monotonic() < self._queries_paused_until:
            raise self.unreachable("is slow to answer now")

    def describe_server(self, patience: float) -> CachedServer:
        """What the server is; on first contact, waits for at most `patience` seconds.

        Raises EncoderUnreachableError, and ModelError or EncoderError for an unusable server.
        """
        self.require()
        with self._condition:
            if self.server is None:
                self.server = read_cache(self.folder, self.address)
            if self.server is None:
                if not self._probing:
                    self._probe_error, self._first_probe = None, time.monotonic()
                    self._start_probing(at_once=True)
                remaining = self._first_probe + patience - time.monotonic()  # further callers share the same deadline
                self._condition.wait_for(
                    lambda: self.server or self._down_reason or self._probe_error, timeout=max(remaining, 0.0)
                )
            if self.server is not None:
                return self.server
            if self._probe_error is not None:
                raise self._probe_error
        raise self.unreachable(self._down_reason or "has not answered yet")

    # -- results ---------------------------------------------------------------------------------------------

    def add_running_batches(self, batches: int) -> None:
        with self._condition:
            self._running_batches += batches

    def record_success(self) -> None:
        self._failed_queries, self._queries_paused_until = 0, 0.0

    def record_query_failure(self, error: TemporaryError) -> EncoderUnreachableError:
        """Record a query without an answer. Behind running passage batches that is no outage."""
        with self._condition:
            if error.why == "down" or (error.why == "slow" and not self._running_batches):
                return self._open(str(error))
            rest = QUERY_PAUSES[min(self._failed_queries, len(QUERY_PAUSES) - 1)]
            self._failed_queries += 1
            self._queries_paused_until = time.monotonic() + (error.after if error.after is not None else rest)
            return self.unreachable(str(error))

    def fail(self, why: str) -> EncoderUnreachableError:
        """Open the circuit until a probe succeeds."""
        with self._condition:
            return self._open(why)

    def server_changed(self, server: CachedServer) -> EncoderUnreachableError:
        """The server no longer matches `server`: probe it again."""
        with self._condition:
            if self.server is server:
                self.server = None
                self._open("has another model than before")
        return self.unreachable("has another model than before: code is embedded again with it")

    def unreachable(self, why: str) -> EncoderUnreachableError:
        return EncoderUnreachableError(f"The embeddings server at {self.address.host} {why}. Retrying automatically.")

    def _open(self, why: str) -> EncoderUnreachableError:
        self._down_reason = self._down_reason or why
        self._last_request = time.monotonic()
        self._start_probing(at_once=self.server is None)
        return self.unreachable(why)

    # -- probing ----------------------------------------------------------------------------------------------------

    def _start_probing(self, *, at_once: bool = False) -> None:
        if not self._probing:
            self._probing = True
            name = f"c2llm-server {self.address.host}"
            threading.Thread(target=self._probe_until_available, args=(at_once,), name=name, daemon=True).start()

    def _probe_until_available(self, at_once: bool) -> None:
        """Probe until the server is available, or no caller needs it."""
        tries = 0
        while True:
            if tries or not at_once:
                delay = PROBE_DELAYS[min(tries, len(PROBE_DELAYS) - 1)]
                time.sleep(delay * random.uniform(0.7, 1.0))  # jitter, so that clients do not return all at once
            tries += 1
            if self._probe_once():
                return

    def _probe_once(self) -> bool:
        """Probe once; return whether probing is done."""
        server: CachedServer | None = None
        down, failed = "", None
        try:
            server = probe_server(self.client, self.address)
        except TemporaryError as error:
            down = str(error)
        except C2llmError as error:
            failed = error
        except Exception as error:
            logger.exception("Probing an embeddings server failed.")
            failed = EncoderError(f"The embeddings server at {self.address.host} cannot be asked: {error}.")
        if server is not None:
            write_cache(self.folder, self.address, server)
        with self._condition:
            if server is not None and server != self.server:
                self.server = server
            self._probe_error = failed
            # A rejection ends an outage: the next caller gets that error.
            self._down_reason = down
            is_done = not down or time.monotonic() - self._last_request > PROBE_IDLE_SECONDS
            self._probing = not is_done
            if not down:
                self._failed_queries, self._queries_paused_until = 0, 0.0
            self._condition.notify_all()
            return is_done


def probe_server(client: Client, address: Address) -> CachedServer:
    """Request a server's model list and one vector. Raises Again, Refused, ModelError, EncoderError."""
    entry = _model_entry(client, address)
    server = CachedServer(
        url=address.url,
        model=entry.id if entry is not None else address.model,
        dimension=0,
        input_type=entry is not None and entry.c2llm is not None and "query" in entry.c2llm.input_type,
    )
    try:
        vectors, fingerprint = embed(client, address, server, [SAMPLE], "document", PROBE_SECONDS)
    except RequestRejectedError as error:
        if error.status not in (400, 422):
            raise
        server = msgspec.structs.replace(server, base64=False)
        vectors, fingerprint = embed(client, address, server, [SAMPLE], "document", PROBE_SECONDS)
    return msgspec.structs.replace(server, dimension=vectors.shape[1], fingerprint=fingerprint)


def _model_entry(client: Client, address: Address) -> protocol.ModelEntry | None:
    """The model in the server's list; None if it has no list and the address names the model."""
    try:
        content, _ = client.get("/models", seconds=PROBE_SECONDS)
        models = msgspec.json.decode(content, type=protocol.ModelList).data
    except (RequestRejectedError, msgspec.DecodeError, UnicodeDecodeError) as error:
        if isinstance(error, RequestRejectedError) and error.status in (401, 403):
            raise
        models = []
    for model in models:
        if address.model in (model.id, ""):
            if len(models) > 1 and not address.model:
                break
            return model
    if address.model:
        return None  # lists are incomplete: some show only what is loaded
    names = ", ".join(sanitize(model.id) for model in models[:8])
    server = f"It has {names}." if names else "It does not list any."
    raise ModelError(f"Several models are possible; choose one as {address.url}#MODEL. {server}")


def embed(
    client: Client, address: Address, server: CachedServer, texts: list[str], kind: protocol.Kind, seconds: float
) -> tuple[protocol.Vectors, str]:
    """The vectors of some texts, and the encoder's fingerprint if the server sends one.

    Raises Again, Refused, and EncoderError for an invalid response.
    """
    body = protocol.EmbeddingsRequest(
        model=server.model,
        input=list(texts),
        encoding_format="base64" if server.base64 else "float",
        dimensions=address.dimensions or None,
        input_type=kind if server.input_type else "",
    )
    content, headers = client.post("/embeddings", msgspec.json.encode(body), seconds=seconds)
    try:
        vectors = protocol.to_vectors(msgspec.json.decode(content, type=protocol.EmbeddingsResponse), len(texts))
    except (msgspec.DecodeError, UnicodeDecodeError):
        content_kind = "a web page" if content.lstrip()[:1] == b"<" else "something other than a list of vectors"
        raise EncoderError(
            f"{address.url}/embeddings answers with {content_kind}: check the encoder's address."
        ) from None
    except protocol.InvalidResponse as error:
        raise EncoderError(f"The embeddings server at {address.host} gave {error}.") from None
    return vectors, sanitize(headers.get(protocol.FINGERPRINT_HEADER, ""))


BREAKERS: dict[Address, CircuitBreaker] = {}
_BREAKERS_LOCK = threading.Lock()


def breaker_for(address: Address, folder: Path | None = None) -> CircuitBreaker:
    """The circuit breaker of an address, one per process."""
    with _BREAKERS_LOCK:
        line = BREAKERS.setdefault(address, CircuitBreaker(address))
        line.folder = line.folder or folder
        return line
