"""What stands between a port of this machine and the MCP server: the token that clients show."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from c2llm_lsp.http_serving import shows_token

HOST = "127.0.0.1"


class TokenRequired:
    """Lets through only requests that show the token."""

    def __init__(self, application: ASGIApp, token: str) -> None:
        self._application, self._token = application, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not shows_token(Headers(scope=scope).get("authorization", ""), self._token):
            answer = JSONResponse(
                {"error": "Show the token of this server: Authorization: Bearer TOKEN."},
                401,
                {"www-authenticate": "Bearer"},
            )
            await answer(scope, receive, send)
            return
        await self._application(scope, receive, send)
