"""Embeddings servers on loopback for tests: our own in a thread of this process, and one that misbehaves as it is told."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from c2llm_lsp.embeddings_server.app import Serving, application
from c2llm_lsp.http_serving import bound
from retrieval.encoders import Encoder, OverlapEncoder
from tests.patience import PATIENCE


@dataclass
class Running:
    """A server, until it is stopped; it can be started again on its port."""

    app: Starlette
    port: int = 0
    _server: uvicorn.Server | None = None
    _thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Running:
        listening = bound("127.0.0.1", self.port)
        self.port = listening.getsockname()[1]
        config = uvicorn.Config(self.app, log_config=None, lifespan="on", timeout_graceful_shutdown=5)
        self._server = uvicorn.Server(config)  # outside the main thread it leaves signals alone
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]}, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(PATIENCE)
            self._server = None


@contextmanager
def running(app: Starlette) -> Iterator[Running]:
    server = Running(app).start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def ours(encoder: Encoder | None = None, **more: Any) -> Iterator[Running]:
    """`c2llm serve-embeddings`, in this process."""
    found = encoder or OverlapEncoder()
    with running(application(Serving(found, more.pop("name", found.name), **more))) as server:
        yield server


Answer = Callable[[dict[str, Any]], Response]


@dataclass
class Script:
    """What a foreign server does: `answers` are used up one a request, then it is a good server of `dimension`."""

    dimension: int = 8
    answers: list[Response | Answer] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)  # the bodies
    headers: list[dict[str, str]] = field(default_factory=list)
    models: list[str] = field(default_factory=lambda: ["m"])

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/models", self._models),
                Route("/v1/embeddings", self._embeddings, methods=["POST"]),
            ]
        )

    def _models(self, request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]})

    async def _embeddings(self, request: Request) -> Response:
        body = json.loads(await request.body())
        self.asked.append(body)
        self.headers.append(dict(request.headers))
        if self.answers:
            answer = self.answers.pop(0)
            return answer if isinstance(answer, Response) else answer(body)
        return good(body, self.dimension)

    @property
    def texts(self) -> list[str]:
        return [text for body in self.asked for text in body["input"]]


def vector(text: str, dimension: int) -> list[float]:
    """One that tells texts apart, not of unit length."""
    return [float(number) for number in 3 * OverlapEncoder(dimension).encode_passages([text])[0]]


def good(body: dict[str, Any], dimension: int, *, backwards: bool = False) -> Response:
    data = []
    for index, text in enumerate(body["input"]):
        numbers = vector(text, dimension)
        packed = base64.b64encode(np.asarray(numbers, dtype="<f4").tobytes()).decode()
        wanted = body.get("encoding_format") == "base64"
        data.append({"object": "embedding", "index": index, "embedding": packed if wanted else numbers})
    return JSONResponse({"object": "list", "data": data[::-1] if backwards else data, "model": body["model"]})


def failed(status: int, message: str = "", **headers: str) -> Response:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse({"error": {"message": message}}, status_code=status, headers=told)


def page() -> Response:
    return PlainTextResponse("<html><body>It works!</body></html>", headers={"content-type": "text/html"})
