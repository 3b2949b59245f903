"""What stands between a port of this machine and the MCP server: a listening socket, and the token that clients show."""

from __future__ import annotations

import hmac
import os
import socket

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from retrieval.errors import SettingsError

HOST = "127.0.0.1"
PATH = "/mcp"


def bound(port: int) -> socket.socket:
    """A listening socket: who connects from now on is served once the server runs."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two servers share a port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise SettingsError(f"Cannot serve on port {port}: {error.strerror or error}.") from None
    return listening


class TokenRequired:
    """Lets through only requests that show the token."""

    def __init__(self, application: ASGIApp, token: str) -> None:
        self._application, self._token = application, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._is_known(Headers(scope=scope).get("authorization", "")):
            answer = JSONResponse(
                {"error": "Show the token of this server: Authorization: Bearer TOKEN."},
                401,
                {"www-authenticate": "Bearer"},
            )
            await answer(scope, receive, send)
            return
        await self._application(scope, receive, send)

    def _is_known(self, shown: str) -> bool:
        scheme, _, token = shown.partition(" ")
        known = hmac.compare_digest(token.strip().encode("utf-8", "replace"), self._token)
        return scheme.lower() == "bearer" and known
