"""Any encoder as a llama-index embedding.

    from retrieval.rag.embedding import C2llmEmbedding
    Settings.embed_model = C2llmEmbedding(encoder="embedded")

Queries and texts are each encoded with the encoder's own instruction. It is serialized by the encoder's name.
"""

from __future__ import annotations

import asyncio
from typing import Any

from retrieval.encoders import Encoder, load
from retrieval.errors import MissingExtraError

try:
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from pydantic import Field, PrivateAttr
except ImportError as error:
    raise MissingExtraError("A llama-index embedding", "rag") from error

BATCH_SIZE = 256  # texts passed to the encoder at a time, which batches them itself; llama-index's default is 10


class C2llmEmbedding(BaseEmbedding):
    """Safe to use from several threads, as the encoder is. The asynchronous calls run in a thread."""

    encoder: str = Field(default="embedded", description="The encoder's name, folder or address, as `load` takes it.")
    embed_batch_size: int = Field(default=BATCH_SIZE, gt=0, le=2048)

    _encoder: Encoder = PrivateAttr()

    def __init__(self, encoder: str | Encoder = "embedded", **options: Any) -> None:
        loaded = load(encoder) if isinstance(encoder, str) else encoder
        name = encoder if isinstance(encoder, str) else loaded.name
        options.setdefault("model_name", loaded.name)
        super().__init__(encoder=name, **options)  # type: ignore[call-arg]
        self._encoder = loaded

    @classmethod
    def class_name(cls) -> str:
        return "C2llmEmbedding"

    def _get_query_embedding(self, query: str) -> list[float]:
        return _floats(self._encoder.encode_queries([query]))[0]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return _floats(self._encoder.encode_passages(texts))

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return await asyncio.to_thread(self._get_query_embedding, query)

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return await asyncio.to_thread(self._get_text_embedding, text)

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await asyncio.to_thread(self._get_text_embeddings, texts)


def _floats(vectors: Any) -> list[list[float]]:
    rows: list[list[float]] = vectors.tolist()
    return rows
