"""Who may talk to a server over TCP: the first client that shows the token. Until then any program of the machine may connect, and
little is kept for it: a first message of bounded length, a few connections, some seconds.
"""

from __future__ import annotations

import asyncio
import hmac

from c2llm_lsp.server.transport.messages import Unreadable, next_body, parse

TOKEN_SECONDS = 10.0  # for a client to show its token
MAX_FIRST_MESSAGE = 256 * 1024  # bytes; editors' have 5 to 30 KB
MAX_WAITING = 32  # connections that have not shown the token: 8 MB at worst


class Admission:
    """Accepts connections until one of them has shown the token; the others are closed."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self._waiting: dict[asyncio.StreamWriter, None] = {}
        self.client: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]]
        self.client = asyncio.get_running_loop().create_future()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Of too many that wait the one that has waited longest goes: who has the token shows it at once."""
        self._waiting[writer] = None
        if len(self._waiting) > MAX_WAITING:
            self._end(next(iter(self._waiting)))
        first = await first_message(reader, self._token)
        if first is None or self.client.done():
            self._end(writer)
            return
        self._waiting.pop(writer, None)
        self.client.set_result((reader, writer, first))
        for other in tuple(self._waiting):
            self._end(other)

    def _end(self, writer: asyncio.StreamWriter) -> None:
        self._waiting.pop(writer, None)
        writer.transport.abort()  # whatever it still sends is not read


async def first_message(reader: asyncio.StreamReader, token: bytes) -> bytes | None:
    """The first message, if it is an `initialize` with the token."""
    try:
        first = await asyncio.wait_for(next_body(reader, MAX_FIRST_MESSAGE), TOKEN_SECONDS)
        shown = parse(first)["params"]["initializationOptions"]["token"] if first else ""
    except (Unreadable, asyncio.TimeoutError, OSError, LookupError, TypeError):
        return None
    known = isinstance(shown, str) and hmac.compare_digest(shown.encode(), token)
    return first if known else None
