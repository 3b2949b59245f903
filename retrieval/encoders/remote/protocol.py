"""The wire format: OpenAI's embeddings request and response, for both our client and our server.

Vectors are sent as base64 of little-endian float32, which OpenAI's own client requests, or as lists of numbers where a
server or client does not support that. Base64 of 256 numbers is 1.4 kB and costs microseconds; a list is four times that.

One field is ours: `input_type`, "query" or "document". OpenAI's interface knows one kind of text only, but models such
as C2LLM read a question and the code that answers it with different instructions. Our client sends it to a server that
says in its list of models that it knows it; other servers get the texts with the address's own `query` and `passage`
before them.
"""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Kind = Literal["query", "document"]
FINGERPRINT_HEADER = "x-c2llm-fingerprint"  # of the encoder behind our server: changes when the encoder does
_FLOAT = np.dtype("<f4")


class EmbeddingsRequest(msgspec.Struct, omit_defaults=True):
    """The body of POST /v1/embeddings. Token lists are parsed so that they can be rejected with a message."""

    model: str
    input: str | list[str | int | list[int]]
    encoding_format: str = "float"
    dimensions: int | None = None
    input_type: str = ""
    user: str | None = None


class EmbeddingItem(msgspec.Struct, kw_only=True):
    """One vector. Bytes are base64 on the wire."""

    object: str = "embedding"
    index: int = 0
    embedding: bytes | list[float]


class Usage(msgspec.Struct, frozen=True):
    prompt_tokens: int = 0
    total_tokens: int = 0


class EmbeddingsResponse(msgspec.Struct, kw_only=True):
    """The response body."""

    object: str = "list"
    data: list[EmbeddingItem]
    model: str = ""
    usage: Usage = Usage()


class ServerInfo(msgspec.Struct):
    """Our server's extension of OpenAI's model fields."""

    fingerprint: str = ""
    dimension: int = 0
    input_type: list[str] = []


class ModelEntry(msgspec.Struct):
    """One entry of GET /v1/models."""

    id: str
    object: str = "model"
    created: int = 0
    owned_by: str = ""
    c2llm: ServerInfo | None = None


class ModelList(msgspec.Struct):
    data: list[ModelEntry]
    object: str = "list"


class RemoteError(msgspec.Struct):
    """An error in OpenAI's format."""

    message: str
    type: str = "invalid_request_error"
    param: str | None = None
    code: str | None = None


class ErrorResponse(msgspec.Struct):
    error: RemoteError


class InvalidResponse(Exception):
    """A response that does not match the request; the message says why."""


def to_vectors(answer: EmbeddingsResponse, count: int) -> Vectors:
    """The vectors of a response in the order of the request, normalized. Raises InvalidResponse."""
    if len(answer.data) != count:
        raise InvalidResponse(f"{len(answer.data)} vectors for {count} texts")
    if sorted(item.index for item in answer.data) != list(range(count)):
        raise InvalidResponse("vectors without an order")
    rows = [_row(item.embedding) for item in sorted(answer.data, key=lambda item: item.index)]
    if len({len(row) for row in rows}) > 1 or not all(len(row) for row in rows):
        raise InvalidResponse("vectors of different lengths" if rows[0].size else "empty vectors")
    vectors = np.stack(rows).astype(np.float32)
    with np.errstate(all="ignore"):
        norms = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    if not np.isfinite(norms).all() or (norms == 0).any():
        raise InvalidResponse("vectors that are not numbers, or nothing but zeros")
    unit: Vectors = (vectors / norms).astype(np.float32)
    return unit


def _row(embedding: bytes | list[float]) -> NDArray[np.float32]:
    if isinstance(embedding, list):
        with np.errstate(over="ignore"):
            return np.asarray(embedding, dtype=np.float64).astype(np.float32)
    if len(embedding) % _FLOAT.itemsize:
        raise InvalidResponse("base64 that is no float32")
    return np.frombuffer(embedding, dtype=_FLOAT)
