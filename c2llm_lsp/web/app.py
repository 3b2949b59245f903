"""The page and its API as an ASGI application.

    GET  /  /app.js  /map.js  /style.css    the page; nothing of the workspace is in it
    POST /api/NAME                          the views of views.py: JSON in, JSON out, with the token

Pages of other sites reach servers of this machine too: a request has to name this machine as its host, and the API needs a
header with the token, which no other page can send. The token is in the address behind #, which browsers send nowhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from c2llm_lsp.http_serving import shows_token
from c2llm_lsp.render.error_messages import error_message
from c2llm_lsp.web.views import View
from retrieval.errors import C2llmError

HOSTS = ("127.0.0.1", "localhost")
MAX_BODY = 64 * 1024  # bytes of a question
PAGE = {
    "/": ("index.html", "text/html"),
    "/app.js": ("app.js", "text/javascript"),
    "/map.js": ("map.js", "text/javascript"),
    "/style.css": ("style.css", "text/css"),
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


def application(views: Mapping[str, View], token: str) -> ASGIApp:
    """The application; views are called on threads."""

    async def page(request: Request) -> Response:
        name, kind = PAGE[request.url.path]
        return Response((files("c2llm_lsp.web") / "static" / name).read_bytes(), media_type=kind)

    async def api(request: Request) -> Response:
        view = views.get(request.path_params["name"])
        if view is None:
            raise HTTPException(404, "There is no such view.")
        if not shows_token(request.headers.get("authorization", ""), token):
            raise HTTPException(401, "Open the address that `c2llm web` printed: it has the token.")
        params = await _params(request)
        try:
            return JSONResponse(await run_in_threadpool(view, params))
        except C2llmError as error:
            raise HTTPException(400, error_message(error)) from None

    routes = [Route(path, page, methods=["GET"]) for path in PAGE]
    routes.append(Route("/api/{name}", api, methods=["POST"]))
    return Guard(Starlette(routes=routes, exception_handlers={HTTPException: _refused}))


async def _params(request: Request) -> dict[str, Any]:
    """The JSON object of a request. Raises HTTPException."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            raise HTTPException(413, "The question is too long.")
    try:
        params = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        params = None
    if not isinstance(params, dict):
        raise HTTPException(400, "The body is no JSON object.")
    return params


async def _refused(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"error": error.detail}, error.status_code)


class Guard:
    """Answers to names of this machine alone, and adds the headers that limit what a page may do."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", ()), *added]}
            await send(message)

        host = Headers(scope=scope).get("host", "").rpartition(":")[0] or Headers(scope=scope).get("host", "")
        if host not in HOSTS:
            refusal = JSONResponse({"error": "This server answers to 127.0.0.1 and localhost alone."}, 403)
            await refusal(scope, receive, with_headers)
            return
        await self._inner(scope, receive, with_headers)
