"""OpenAI's embeddings endpoint as an ASGI application.

    POST /v1/embeddings        model, input (a string or a list of strings), encoding_format, input_type
    GET  /v1/models            the one model, its dimension and fingerprint
    GET  /v1/models/{model}
    GET  /health               for monitoring; needs no key

`input_type` is ours: "query" or "document". Models such as C2LLM read a question with another instruction than code. A
client that cannot send it names the model as NAME:query or NAME:document; a bare NAME is for documents, since whoever
knows of no difference embeds documents most of all. RequestErrors are answered in OpenAI's form.

Pages in a browser reach this machine's servers too. So a body has to be JSON by its type, which no page can send without
being asked for permission, and a server without a key answers only to names of this machine.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import get_args

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from c2llm_lsp import __version__
from c2llm_lsp.embeddings_server.batching import Batcher, Overloaded
from c2llm_lsp.http_serving import shows_token
from retrieval.encoders import Encoder, Vectors
from retrieval.encoders.remote import protocol
from retrieval.errors import EncoderUnreachableError

MAX_TEXTS = 2_048  # of one request, as with OpenAI
MAX_BYTES = 64 * 1024 * 1024  # of one request
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
KINDS: tuple[protocol.Kind, ...] = get_args(protocol.Kind)
RETRY_SECONDS = 1

logger = logging.getLogger(__name__)
Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Serving:
    """What is served, to whom."""

    encoder: Encoder
    name: str  # the model's id
    key: str = ""  # that clients must show; empty: none
    hosts: tuple[str, ...] = LOCAL_HOSTS  # by which a client may call the server; empty: any


class RequestError(Exception):
    """What is wrong with a request, and how that is answered."""

    def __init__(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> None:
        kind = "invalid_request_error" if status < 500 else "server_error"
        super().__init__(message)
        self.status, self.trouble = status, protocol.RemoteError(message, kind, param, code)


def application(serving: Serving) -> Starlette:
    """The application; its encoder is used by one thread only."""
    endpoint = _Endpoint(serving)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        endpoint.batcher = Batcher(serving.encoder)
        yield
        await endpoint.batcher.close()

    return Starlette(
        routes=[
            Route("/v1/embeddings", endpoint.guarded(endpoint.embeddings), methods=["POST"]),
            Route("/v1/models", endpoint.guarded(endpoint.models), methods=["GET"]),
            Route("/v1/models/{model:path}", endpoint.guarded(endpoint.model), methods=["GET"]),
            Route("/health", endpoint.guarded(endpoint.health, needs_key=False), methods=["GET"]),
        ],
        lifespan=lifespan,
        exception_handlers={HTTPException: _not_found},
    )


class _Endpoint:
    """The handlers."""

    def __init__(self, serving: Serving) -> None:
        self.serving = serving
        self.batcher: Batcher
        own = protocol.ServerInfo(serving.encoder.fingerprint, serving.encoder.dimension, list(KINDS))
        self._model = protocol.ModelEntry(id=serving.name, owned_by="c2llm-lsp", c2llm=own)
        self._headers = {protocol.FINGERPRINT_HEADER: serving.encoder.fingerprint}
        self._names: dict[str, protocol.Kind] = {serving.name: "document"}
        self._names |= {f"{serving.name}:{kind}": kind for kind in KINDS}

    def guarded(self, handler: Handler, *, needs_key: bool = True) -> Handler:
        """Admit only authorized requests; answer errors, and log unexpected ones without the texts."""

        async def handle(request: Request) -> Response:
            try:
                self._admit(request, needs_key)
                return await handler(request)
            except RequestError as error:
                return _failed(error)
            except ClientDisconnect:
                return Response(status_code=499)  # nobody reads it
            except Exception:
                logger.exception("Unexpected error in a request.")
                return _failed(RequestError(500, "The server failed; its log says why.", code="internal_error"))

        return handle

    def _admit(self, request: Request, needs_key: bool) -> None:
        hosts = self.serving.hosts
        called = request.headers.get("host", "").lower()
        name = called if called.endswith("]") else called.rpartition(":")[0] or called
        if hosts and name not in hosts:
            raise RequestError(403, f"This server does not answer to the name '{name[:100]}'.", code="unknown_host")
        key = self.serving.key if needs_key else ""
        if key and not shows_token(request.headers.get("authorization", ""), key):
            raise RequestError(401, "Show the key of this server: Authorization: Bearer KEY.", code="invalid_api_key")

    async def health(self, _: Request) -> Response:
        waiting = self.batcher.waiting
        return _json({"status": "ok", "model": self.serving.name, "waiting": waiting, "version": __version__})

    async def models(self, _: Request) -> Response:
        return _json(protocol.ModelList([self._model]))

    async def model(self, request: Request) -> Response:
        self._kind_of(request.path_params["model"], "")
        return _json(self._model)

    async def embeddings(self, request: Request) -> Response:
        ask = _parsed(await _body(request))
        kind = self._kind_of(ask.model, ask.input_type)
        texts = _texts(ask)
        if ask.encoding_format not in ("float", "base64"):
            raise RequestError(400, "encoding_format is 'float' or 'base64'.", param="encoding_format")
        if ask.dimensions not in (None, self.serving.encoder.dimension):
            text = f"This model's vectors have {self.serving.encoder.dimension} dimensions and cannot be shortened."
            raise RequestError(400, text, param="dimensions")
        vectors = await self._embedded(request, texts, kind)
        tokens = sum(len(text) for text in texts) // 4 + 1  # about: only the encoder counts, and does not say
        items = _items(vectors, ask.encoding_format)
        return _json(
            protocol.EmbeddingsResponse(data=items, model=ask.model, usage=protocol.Usage(tokens, tokens)),
            self._headers,
        )

    async def _embedded(self, request: Request, texts: list[str], kind: protocol.Kind) -> Vectors:
        """The vectors; given up where the client leaves."""
        work = asyncio.ensure_future(self.batcher.embed(texts, kind))
        left = asyncio.ensure_future(_disconnected(request))
        try:
            await asyncio.wait((work, left), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise ClientDisconnect
            return work.result()
        except (Overloaded, EncoderUnreachableError) as error:
            raise RequestError(503, str(error), code="overloaded") from None
        finally:
            left.cancel()
            work.cancel()

    def _kind_of(self, model: str, input_type: str) -> protocol.Kind:
        known = self._names.get(model)
        if known is None:
            text = f"There is no model '{model[:100]}' here: this server has '{self.serving.name}'."
            raise RequestError(404, text, code="model_not_found", param="model")
        chosen = {"": known} | {kind: kind for kind in KINDS}
        if input_type not in chosen:
            raise RequestError(400, "input_type is 'query' or 'document'.", param="input_type")
        return chosen[input_type]


async def _body(request: Request) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RequestError(415, "Send JSON: content-type: application/json.", code="not_json")
    parts, size = list[bytes](), 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BYTES:
            raise RequestError(413, f"A request has at most {MAX_BYTES >> 20} MB.", code="too_large")
        parts.append(part)
    return b"".join(parts)


def _parsed(body: bytes) -> protocol.EmbeddingsRequest:
    try:
        return msgspec.json.decode(body, type=protocol.EmbeddingsRequest)
    except msgspec.ValidationError as error:
        raise RequestError(400, f"The request is not understood: {error}.") from None
    except RecursionError:
        raise RequestError(400, "The body is nested too deep.", code="not_json") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _parsed_slowly(body)


def _parsed_slowly(body: bytes) -> protocol.EmbeddingsRequest:
    """Lone surrogates, escaped, are refused by the fast reader; here they are let through and the encoder has its way."""
    import json

    try:
        return msgspec.convert(json.loads(body), type=protocol.EmbeddingsRequest)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"The body is not JSON: {error}.", code="not_json") from None


def _texts(ask: protocol.EmbeddingsRequest) -> list[str]:
    given = [ask.input] if isinstance(ask.input, str) else ask.input
    if not given:
        raise RequestError(400, "input holds no text.", param="input")
    if len(given) > MAX_TEXTS:
        raise RequestError(400, f"input holds {len(given)} texts; at most are {MAX_TEXTS}.", param="input")
    texts = [text for text in given if isinstance(text, str)]
    if len(texts) < len(given):
        raise RequestError(400, "input holds tokens; send texts, this model has a tokenizer of its own.", param="input")
    return texts


def _items(vectors: Vectors, form: str) -> list[protocol.EmbeddingItem]:
    if form == "float":
        return [protocol.EmbeddingItem(index=i, embedding=row) for i, row in enumerate(vectors.tolist())]
    return [
        protocol.EmbeddingItem(index=i, embedding=row.tobytes())
        for i, row in enumerate(vectors.astype("<f4", copy=False))
    ]


async def _disconnected(request: Request) -> None:
    """Returns when the client has disconnected."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _json(value: object, headers: dict[str, str] | None = None, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, headers, "application/json")


def _failed(error: RequestError) -> Response:
    headers = {"retry-after": str(RETRY_SECONDS)} if error.status == 503 else None
    return _json(protocol.ErrorResponse(error.trouble), headers, error.status)


async def _not_found(request: Request, error: Exception) -> Response:
    """An unknown path or method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _failed(RequestError(status, f"There is no {request.method} {request.url.path} here.", code="not_found"))
