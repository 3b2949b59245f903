"""HTTP requests to an embeddings server, with three outcomes: a response, a rejection, or a temporary error.

Redirects are not followed: text and key go only to the configured address. Proxies from the environment are used except for
local addresses, and .netrc passwords never are. Errors contain neither key nor text; a server's message is shown truncated,
without control characters and without the key.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from retrieval.encoders.remote.address import Address
from retrieval.errors import EncoderError, MissingExtraError

if TYPE_CHECKING:
    import httpx2

CONNECT_SECONDS = 2.0  # enough for any usable network; a host that takes longer is off
MAX_RESPONSE_BYTES = 256 * 1024 * 1024  # bytes; 2,048 vectors of 3,584 numbers as a list are 160 MB
MAX_RETRY_SECONDS = 3_600.0  # that a server may ask for
IDENTITY = {"accept-encoding": "identity"}  # a few compressed bytes may be gigabytes
MAX_MESSAGE_CHARS = 200  # maximum length of a server message that is shown
# Worth a retry; every other status outside 2xx is final.
_RETRYABLE = (408, 425, 429, 500, 502, 503, 504)

FailureKind = Literal["down", "slow", "busy"]


class RequestRejectedError(EncoderError):
    """The server rejected the request; a retry would not help."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class TemporaryError(Exception):
    """No response this time. `after`: the delay that the server requested, in seconds."""

    def __init__(self, why: FailureKind, text: str, after: float | None = None) -> None:
        super().__init__(text)
        self.why, self.after = why, after


class Client:
    """Connections to one server, opened on first use; thread-safe."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._connections: httpx2.Client | None = None

    def get(self, path: str, *, seconds: float) -> tuple[bytes, dict[str, str]]:
        return self._ask("GET", path, b"", seconds)

    def post(self, path: str, body: bytes, *, seconds: float) -> tuple[bytes, dict[str, str]]:
        """The response body and headers. Raises Refused, Again, MissingExtraError, ModelError for an invalid key."""
        return self._ask("POST", path, body, seconds)

    def _ask(self, method: str, path: str, body: bytes, seconds: float) -> tuple[bytes, dict[str, str]]:
        connections, key = self.ready(), self._address.key()
        import httpx2

        headers = IDENTITY | ({"content-type": "application/json"} if body else {})
        if key:
            headers["authorization"] = f"Bearer {key}"
        url, timeout = self._address.url + path, httpx2.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))
        deadline = time.monotonic() + seconds
        try:
            with connections.stream(method, url, content=body, headers=headers, timeout=timeout) as response:
                content = _tokenize(response, deadline)
                self._raise_for_status(response, content, key)
                return content, dict(response.headers)
        except (httpx2.ConnectTimeout, httpx2.ConnectError, httpx2.ProxyError) as error:
            raise TemporaryError("down", f"cannot be reached ({_reason(error)})") from None
        except httpx2.TimeoutException:
            raise TemporaryError("slow", f"did not answer within {seconds:g} s") from None
        except httpx2.HTTPError as error:
            raise TemporaryError("down", f"broke off ({_reason(error)})") from None
        except (httpx2.InvalidURL, ValueError) as error:
            raise RequestRejectedError(0, f"{self._address.url} cannot be asked: {_reason(error)}.") from None

    def ready(self) -> httpx2.Client:
        """The connection pool. Raises MissingExtraError without an HTTP library."""
        with self._lock:
            if self._connections is None:
                try:
                    import httpx2
                except ImportError as error:
                    raise MissingExtraError("An encoder on another machine", "remote") from error
                # Auth that adds nothing: without any, a .netrc would be asked for a password.
                self._connections = httpx2.Client(
                    trust_env=not self._address.local,
                    auth=lambda request: request,
                    limits=httpx2.Limits(keepalive_expiry=30.0),
                )
            return self._connections

    def _raise_for_status(self, response: httpx2.Response, content: bytes, key: str) -> None:
        status = response.status_code
        if status == 200:
            return
        message = server_message(content, key)
        if status in _RETRYABLE:
            text = f"answers {status}" + (f": {message}" if message else "")
            raise TemporaryError("busy", text, retry_after_seconds(response.headers.get("retry-after", "")))
        raise RequestRejectedError(status, self._rejection_message(response, message, bool(key)))

    def _rejection_message(self, response: httpx2.Response, message: str, has_key: bool) -> str:
        status, address = response.status_code, self._address
        suffix = f" It says: {message}" if message else ""
        if status in (401, 403):
            problem = f"does not take the key in {address.key_variable}" if has_key else "wants a key"
            return f"The embeddings server at {address.host} {problem}: set {address.key_variable} to one that it knows.{suffix}"
        if status == 404:
            return f"{address.url} has no embeddings for '{address.model or 'its model'}': check address and model.{suffix}"
        if 300 <= status < 400:
            return f"{address.url} points elsewhere, to {sanitize(response.headers.get('location', '?'))}: give that address."
        return f"The embeddings server at {address.host} refused with {status}.{suffix}"


def _tokenize(response: httpx2.Response, deadline: float) -> bytes:
    """The whole response within the deadline: a server that sends a byte now and then is slow too."""
    import httpx2

    parts, size = list[bytes](), 0
    for part in uncompressed(response):
        parts.append(part)
        size += len(part)
        if size > MAX_RESPONSE_BYTES:
            raise RequestRejectedError(
                0, f"The answer is longer than {MAX_RESPONSE_BYTES >> 20} MB, which no vectors are."
            )
        if time.monotonic() > deadline:
            raise httpx2.ReadTimeout("the whole answer took too long")
    return b"".join(parts)


def uncompressed(response: httpx2.Response) -> Iterator[bytes]:
    """The parts of a response as they come. Raises httpx2.DecodingError for one that is compressed all the same."""
    import httpx2

    if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise httpx2.DecodingError("it is compressed, which was not asked for")
    return response.iter_raw()


def server_message(content: bytes, key: str) -> str:
    """The error message in a response: OpenAI's form, FastAPI's, or plain text."""
    try:
        value: Any = msgspec.json.decode(content)
        for name in ("error", "message", "detail"):
            value = value.get(name, value) if isinstance(value, dict) else value
        text = value if isinstance(value, str) else ""
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = content[: 4 * MAX_MESSAGE_CHARS].decode("utf-8", "replace")
        text = "" if "<" in text[:50] else text  # a page is for browsers
    return sanitize(text.replace(key, "…") if key else text)


def sanitize(text: str) -> str:
    """A server message made safe to show: one line, truncated, without control characters."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * MAX_MESSAGE_CHARS]).split())
    return text if len(text) <= MAX_MESSAGE_CHARS else text[: MAX_MESSAGE_CHARS - 1] + "…"


def retry_after_seconds(value: str) -> float | None:
    """The seconds of a Retry-After header, a number or a date; an hour at most, and None for what is neither."""
    try:
        seconds = float(value)
    except ValueError:
        try:
            due = parsedate_to_datetime(value)
            due = due if due.tzinfo else due.replace(tzinfo=timezone.utc)
            seconds = (due - datetime.now(timezone.utc)).total_seconds()
        except (TypeError, ValueError, OverflowError):
            return None
    return None if math.isnan(seconds) else min(max(0.0, seconds), MAX_RETRY_SECONDS)


def _reason(error: Exception) -> str:
    """The message of the innermost cause."""
    while (cause := error.__cause__ or error.__context__) is not None and isinstance(cause, Exception):
        error = cause
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return sanitize(text.removeprefix("[SSL] "))
