"""Asks a server with a chat API, and reads its stream of events.

Redirects are not followed: code and key go only to the configured address. Proxies from the environment are used except for this
machine, and .netrc passwords never are. Errors contain neither the key nor code; a server's message is shown truncated, on one
line, without the key. An answer is read up to a limit, and each part of it is awaited for a limited time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from retrieval.encoders.remote.client import IDENTITY, retry_after_seconds, sanitize, server_message, uncompressed
from retrieval.errors import LanguageModelError, MissingExtraError
from retrieval.llm.endpoint import Endpoint
from retrieval.llm.types import MAX_ANSWER_CHARS, Message
from retrieval.llm.wire import ANTHROPIC, OPENAI, Event, encode

if TYPE_CHECKING:
    import httpx2

CONNECT_SECONDS = 5.0
IDLE_SECONDS = 300.0  # a model on a CPU reads a long prompt for minutes before its first word
MAX_EVENT_BYTES = 1 << 20
MAX_STREAM_BYTES = 256 << 20  # of an answer with all that is said around it; 100,000 tokens take 30 MB
_RETRYABLE = (408, 425, 429, 500, 502, 503, 504, 529)


class EndpointModel:
    """A language model behind a chat API."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._wire = ANTHROPIC if endpoint.api == "anthropic" else OPENAI
        self._model = endpoint.model

    @property
    def name(self) -> str:
        return f"{sanitize(self._model)} at {self._endpoint.host}" if self._model else self._endpoint.host

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        """As in ChatModel."""
        with _connected(self._endpoint) as client:
            model = self._model = self._model or self._only_model(client)
            body = encode(self._wire.body(self._endpoint, model, messages))
            with self._request(client, "POST", self._wire.path, body) as response:
                yield from self._pieces(response)

    def _pieces(self, response: httpx2.Response) -> Iterator[str]:
        size, finish = 0, ""
        for event in self._events(response):
            if event.finish == "error":
                raise self._error(f"reports an error{_said(event.error, self._endpoint)}")
            if event.text:
                size += len(event.text)
                if size > MAX_ANSWER_CHARS:
                    raise self._error(f"does not end its answer; it was ended after {MAX_ANSWER_CHARS:,} characters")
                yield event.text
            finish = finish or event.finish
        if finish == "tool":
            raise self._error("wants to call a tool; c2llm offers none, and nothing was run")
        if finish == "length":
            raise self._error("has reached its limit of tokens: the answer is not complete")
        if not finish:
            raise self._error("broke off: the answer is not complete")
        if not size:
            raise self._error("gave an empty answer")

    def _events(self, response: httpx2.Response) -> Iterator[Event]:
        if "text/event-stream" in response.headers.get("content-type", ""):
            for line in _lines(response, self):
                data = line.removeprefix(b"data:").strip() if line.startswith(b"data:") else b""
                if data == b"[DONE]":
                    yield Event(finish="stop")
                    return
                if data:
                    yield self._read(data)
            return
        yield self._read(_whole(response, self))

    def _read(self, data: bytes) -> Event:
        try:
            event = self._wire.read(msgspec.json.decode(data))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            event = None
        if event is None:
            api = "Anthropic" if self._endpoint.api == "anthropic" else "OpenAI"
            raise self._error(f"does not answer as {api}'s chat API does; check the address {self._endpoint.url}")
        return event

    def _only_model(self, client: httpx2.Client) -> str:
        """The model of a server that has one. Raises LanguageModelError with their names where there are several."""
        with self._request(client, "GET", "/models", b"") as response:
            content = _whole(response, self)
        try:
            listed: Any = msgspec.json.decode(content)["data"]
            names = [str(model["id"]) for model in listed]
        except (msgspec.DecodeError, UnicodeDecodeError, LookupError, TypeError):
            raise self._error(f"lists no models; name one: {self._endpoint.url}#MODEL") from None
        if len(names) == 1:
            return names[0]
        shown = sanitize(", ".join(names)) or "none"
        raise LanguageModelError(f"{self._endpoint.url} has {len(names)} models; name one behind a #. It has: {shown}")

    @contextmanager
    def _request(self, client: httpx2.Client, method: str, path: str, body: bytes) -> Iterator[httpx2.Response]:
        import httpx2

        endpoint, key = self._endpoint, self._endpoint.key()
        headers = IDENTITY | self._wire.headers(key) | ({"content-type": "application/json"} if body else {})
        try:
            with client.stream(method, endpoint.url + path, content=body, headers=headers) as response:
                self._raise_for_status(response, key)
                yield response
        except (httpx2.ConnectTimeout, httpx2.ConnectError, httpx2.ProxyError):
            raise LanguageModelError(
                f"The language model at {endpoint.host} cannot be reached: does it run, and is the address right?"
            ) from None
        except httpx2.TimeoutException:
            raise self._error(f"has sent nothing for {IDLE_SECONDS:g} s") from None
        except httpx2.DecodingError:
            raise self._error("answers compressed, which it was not asked for") from None
        except httpx2.HTTPError:
            raise self._error("broke off: the answer is not complete") from None
        except (httpx2.InvalidURL, ValueError):
            raise LanguageModelError(f"{endpoint.url} cannot be asked: check the address.") from None

    def _raise_for_status(self, response: httpx2.Response, key: str) -> None:
        status, endpoint = response.status_code, self._endpoint
        if status == 200:
            return
        said = _said(server_message(_whole(response, self), key), endpoint)
        if status in (401, 403):
            problem = (
                f"does not take the key in {endpoint.key_variable}"
                if key
                else f"wants a key: set {endpoint.key_variable}"
            )
            raise self._error(f"{problem} ({status}){said}")
        if status == 404:
            raise self._error(
                f"does not know {sanitize(self._model) or 'the address'}: check model and address (404){said}"
            )
        if 300 <= status < 400:
            place = _without_key(response.headers.get("location", "?"), endpoint)
            raise self._error(f"points elsewhere, to {place}: give that address")
        if status == 429:
            after = retry_after_seconds(response.headers.get("retry-after", ""))
            when = "later" if after is None else f"in {after:.0f} s"
            raise self._error(f"has too many requests or no quota left; try again {when} (429){said}")
        raise self._error(f"{'fails' if status in _RETRYABLE else 'refuses'} with {status}{said}")

    def _error(self, text: str) -> LanguageModelError:
        return LanguageModelError(
            f"The language model at {self._endpoint.host} {text}{'' if text.endswith(('.', '…')) else '.'}"
        )


@contextmanager
def _connected(endpoint: Endpoint) -> Iterator[httpx2.Client]:
    try:
        import httpx2
    except ImportError as error:
        raise MissingExtraError("Asking a language model", "remote") from error
    # Auth that adds nothing: without any, a .netrc would be asked for a password.
    timeout = httpx2.Timeout(IDLE_SECONDS, connect=CONNECT_SECONDS)
    with httpx2.Client(trust_env=not endpoint.local, auth=lambda request: request, timeout=timeout) as client:
        yield client


def _lines(response: httpx2.Response, model: EndpointModel) -> Iterator[bytes]:
    """The lines of a stream, the last one also without an end."""
    started, size = bytearray(), 0
    for part in uncompressed(response):
        size += len(part)
        if size > MAX_STREAM_BYTES:
            raise model._error(f"does not end its answer; it was ended after {size:,} bytes")
        *ends, rest = part.split(b"\n")
        for end in ends:
            yield bytes(started + end)
            started.clear()
        started += rest
        if len(started) > MAX_EVENT_BYTES:
            raise model._error(f"sends a line longer than {MAX_EVENT_BYTES >> 20} MB, which no answer has")
    yield bytes(started)


def _whole(response: httpx2.Response, model: EndpointModel) -> bytes:
    content = bytearray()
    for part in uncompressed(response):
        content += part
        if len(content) > MAX_EVENT_BYTES:
            raise model._error(f"answers with more than {MAX_EVENT_BYTES >> 20} MB")
    return bytes(content)


def _said(message: str, endpoint: Endpoint) -> str:
    """What the server says, without the key."""
    text = _without_key(message, endpoint)
    return f". It says: {text}" if text else ""


def _without_key(text: str, endpoint: Endpoint) -> str:
    """What a server says, safe to show."""
    key = endpoint.key()
    return sanitize(text.replace(key, "…") if key else text)
