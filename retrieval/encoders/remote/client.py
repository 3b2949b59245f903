"""One request to an embeddings server, and what can come of it: an answer, a refusal, or reason to ask again.

Redirects are not followed: text and key go where the user said and nowhere else. A proxy of the environment is used but
for this machine's own addresses, and passwords of a .netrc never are. Neither key nor text stands in an error; what a
server says is shown shortened, without control characters, and without the key should it repeat that.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from retrieval.encoders.remote.address import Address
from retrieval.errors import EncoderError, MissingExtraError

if TYPE_CHECKING:
    import httpx2

CONNECT_SECONDS = 2.0  # over any network that carries code searches; what takes longer is a host that is off
MAX_ANSWER = 256 * 1024 * 1024  # bytes; 2,048 vectors of 3,584 numbers as a list are 160 MB
SAID = 200  # characters of what a server says that are shown
# The server may say otherwise in a moment; all else that is not 2xx is its last word.
_PASSING = (408, 425, 429, 500, 502, 503, 504)

Why = Literal["down", "slow", "busy"]


class Refused(EncoderError):
    """The server will not answer this, however often it is asked."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Again(Exception):
    """No answer this time. `after`: the seconds that the server asked for."""

    def __init__(self, why: Why, text: str, after: float | None = None) -> None:
        super().__init__(text)
        self.why, self.after = why, after


class Client:
    """Connections to one server, made at the first use; for any number of threads."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._connections: httpx2.Client | None = None

    def get(self, path: str, *, seconds: float) -> tuple[bytes, dict[str, str]]:
        return self._ask("GET", path, b"", seconds)

    def post(self, path: str, body: bytes, *, seconds: float) -> tuple[bytes, dict[str, str]]:
        """The answer's body and headers. Raises Refused, Again, MissingExtraError, ModelError for a key that is none."""
        return self._ask("POST", path, body, seconds)

    def _ask(self, method: str, path: str, body: bytes, seconds: float) -> tuple[bytes, dict[str, str]]:
        connections, key = self.ready(), self._address.key()
        import httpx2

        headers = {"content-type": "application/json"} if body else {}
        if key:
            headers["authorization"] = f"Bearer {key}"
        where, timeout = self._address.url + path, httpx2.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))
        end = time.monotonic() + seconds
        try:
            with connections.stream(method, where, content=body, headers=headers, timeout=timeout) as response:
                content = _read(response, end)
                self._judge(response, content, key)
                return content, dict(response.headers)
        except (httpx2.ConnectTimeout, httpx2.ConnectError, httpx2.ProxyError) as error:
            raise Again("down", f"cannot be reached ({_reason(error)})") from None
        except httpx2.TimeoutException:
            raise Again("slow", f"did not answer within {seconds:g} s") from None
        except httpx2.HTTPError as error:
            raise Again("down", f"broke off ({_reason(error)})") from None
        except (httpx2.InvalidURL, ValueError) as error:
            raise Refused(0, f"{self._address.url} cannot be asked: {_reason(error)}.") from None

    def ready(self) -> httpx2.Client:
        """The connections. Raises MissingExtraError where there is nothing to make them with."""
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

    def _judge(self, response: httpx2.Response, content: bytes, key: str) -> None:
        status = response.status_code
        if status == 200:
            return
        said = _said(content, key)
        if status in _PASSING:
            text = f"answers {status}" + (f": {said}" if said else "")
            raise Again("busy", text, _after(response.headers.get("retry-after", "")))
        raise Refused(status, self._sentence(response, said, bool(key)))

    def _sentence(self, response: httpx2.Response, said: str, has_key: bool) -> str:
        status, address = response.status_code, self._address
        told = f" It says: {said}" if said else ""
        if status in (401, 403):
            what = f"does not take the key in {address.key_variable}" if has_key else "wants a key"
            return f"The embeddings server at {address.host} {what}: set {address.key_variable} to one that it knows.{told}"
        if status == 404:
            return (
                f"{address.url} has no embeddings for '{address.model or 'its model'}': check address and model.{told}"
            )
        if 300 <= status < 400:
            return (
                f"{address.url} points elsewhere, to {plain(response.headers.get('location', '?'))}: give that address."
            )
        return f"The embeddings server at {address.host} refused with {status}.{told}"


def _read(response: httpx2.Response, end: float) -> bytes:
    """The whole answer. A server that sends a byte now and then is as slow as one that sends none."""
    import httpx2

    parts, size = list[bytes](), 0
    for part in response.iter_bytes():
        parts.append(part)
        size += len(part)
        if size > MAX_ANSWER:
            raise Refused(0, f"The answer is longer than {MAX_ANSWER >> 20} MB, which no vectors are.")
        if time.monotonic() > end:
            raise httpx2.ReadTimeout("the whole answer took too long")
    return b"".join(parts)


def _said(content: bytes, key: str) -> str:
    """What the server says of a failure: OpenAI's form, or FastAPI's, or plain text."""
    try:
        found: Any = msgspec.json.decode(content)
        for name in ("error", "message", "detail"):
            found = found.get(name, found) if isinstance(found, dict) else found
        text = found if isinstance(found, str) else ""
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = content[: 4 * SAID].decode("utf-8", "replace")
        text = "" if "<" in text[:50] else text  # a page is for browsers
    return plain(text.replace(key, "…") if key else text)


def plain(text: str) -> str:
    """What a server says, as it may be shown: one line, short, nothing that a terminal obeys."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * SAID]).split())
    return text if len(text) <= SAID else text[: SAID - 1] + "…"


def _after(value: str) -> float | None:
    """The seconds of a Retry-After header, which is a number or a date."""
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        due = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    due = due if due.tzinfo else due.replace(tzinfo=timezone.utc)
    return max(0.0, (due - datetime.now(timezone.utc)).total_seconds())


def _reason(error: Exception) -> str:
    """The innermost cause, as the system says it."""
    while (cause := error.__cause__ or error.__context__) is not None and isinstance(cause, Exception):
        error = cause
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return plain(text.removeprefix("[SSL] "))
