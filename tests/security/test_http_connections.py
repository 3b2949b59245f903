"""Connections to our HTTP servers by somebody without the token: what they cost ends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

uvicorn = pytest.importorskip("uvicorn", reason="neither 'mcp' nor 'serve' is installed")

from c2llm_lsp import http_connections  # noqa: E402
from c2llm_lsp.http_connections import MAX_CONNECTIONS, MAX_HEAD_BYTES, bounded_protocol  # noqa: E402
from c2llm_lsp.http_serving import bound  # noqa: E402
from tests.patience import PATIENCE  # noqa: E402

HEAD = b"POST / HTTP/1.1\r\nhost: 127.0.0.1\r\n"
GOOD = HEAD + b"content-length: 0\r\n\r\n"


async def refuse(scope: object, receive: object, send: object) -> None:
    """Answers without reading, as a server does that was not shown its token."""
    await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"0")]})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": b""})  # type: ignore[operator]


@pytest.fixture
def port() -> Iterator[int]:
    listening = bound("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(refuse, http=bounded_protocol(), log_config=None, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join(PATIENCE)


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def taken(connection: socket.socket, start: bytes, more: bytes) -> int:
    """How many bytes a server takes before it ends the connection."""
    size = 0
    try:
        connection.sendall(start)
        while size < 1 << 30:
            connection.sendall(more)
            size += len(more)
    except OSError:
        pass
    return size


def ends(connection: socket.socket) -> bool:
    with suppress(ConnectionError), connection.makefile("rb") as received:
        received.read()
    return True


@pytest.mark.parametrize(
    ("start", "more"),
    [
        pytest.param(HEAD, b"x-more: " + b"a" * 60_000 + b"\r\n", id="headers"),
        pytest.param(HEAD + b"x: ", b"a" * 60_000, id="header"),
        pytest.param(b"POST /", b"a" * 60_000, id="address"),
        pytest.param(HEAD + b"content-length: 999999999\r\n\r\n", b"a" * 60_000, id="body behind a refusal"),
    ],
)
def test_what_a_request_without_an_end_may_send_is_bounded(port: int, start: bytes, more: bytes) -> None:
    with connect(port) as connection:
        assert taken(connection, start, more) < 64 * MAX_HEAD_BYTES  # what the system holds on both sides among it


@pytest.mark.parametrize("start", [b"", b"GET / HT", HEAD, GOOD + HEAD])
def test_half_a_request_is_not_awaited_forever(port: int, start: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connections, "HEAD_SECONDS", 0.1)
    with connect(port) as connection:
        connection.sendall(start)
        assert ends(connection)


def test_a_number_of_connections_is_served_and_no_more(port: int) -> None:
    with ExitStack() as stack:
        held = [stack.enter_context(connect(port)) for _ in range(MAX_CONNECTIONS)]
        assert ends(stack.enter_context(connect(port)))
        held[0].sendall(GOOD)
        assert held[0].recv(12) == b"HTTP/1.1 401"
