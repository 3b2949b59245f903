"""What a connection to one of our HTTP servers may cost before a request on it is answered.

Whoever can reach a port needs no token to connect. uvicorn keeps headers and addresses of any length (170 MB of them cost
200 MB, and minutes of CPU), and waits for the rest of a request forever. Here a request's head has a length and a time, and
connections have a number, a quarter of the descriptors that the process may have: without one left no index can be opened, and
what logs that ended the server.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.auto import AutoHTTPProtocol

MAX_HEAD_BYTES = 256 * 1024  # of a request before it is answered; of an unread body behind the answer as well
HEAD_SECONDS = 10.0


def _max_connections() -> int:
    """256 on Linux, 64 on macOS."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows, which has no such limit
        return 256
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 256 if limit == resource.RLIM_INFINITY else max(32, min(256, limit // 4))


MAX_CONNECTIONS = _max_connections()
BACKLOG = MAX_CONNECTIONS // 4  # asyncio may accept so many three times before it closes the first of them


class _Bounded(asyncio.Protocol):
    """Goes before uvicorn's protocol, whichever is installed."""

    loop: asyncio.AbstractEventLoop
    connections: set[Any]
    cycle: Any  # the request that is being answered, or was last
    _transport: asyncio.Transport
    _head_bytes = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._transport = cast(asyncio.Transport, transport)
        if len(self.connections) > MAX_CONNECTIONS:
            self._transport.abort()
            return
        self._timer = self.loop.call_later(HEAD_SECONDS, self._transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._head_bytes = 0
            self._stop_timer()
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self._transport.abort()
        elif self._timer is None:
            self._timer = self.loop.call_later(HEAD_SECONDS, self._transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def bounded_protocol() -> type[asyncio.Protocol]:
    """uvicorn's own protocol with these bounds, for its setting `http`."""
    return type("BoundedHttpProtocol", (_Bounded, AutoHTTPProtocol), {})
