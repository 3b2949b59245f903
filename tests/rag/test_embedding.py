"""An encoder as a llama-index embedding: its own vectors, in an index, asynchronously, and back from its description."""

from __future__ import annotations

import asyncio

import numpy as np

from retrieval.encoders import OverlapEncoder, load
from tests.embeddings_server.serving import ours
from tests.extras import need

need("llama_index.core")
CODES = ["def apply_ignore_rules(path): ...", "class Invoice: ...", "def fetch_with_retry(url): ..."]


def test_queries_and_texts_are_those_of_the_encoder() -> None:
    from retrieval.rag.embedding import C2llmEmbedding

    own, embedding = OverlapEncoder(), C2llmEmbedding("overlap")
    np.testing.assert_allclose(embedding.get_text_embedding_batch(CODES), own.encode_passages(CODES), atol=1e-6)
    np.testing.assert_allclose(embedding.get_query_embedding("a b"), own.encode_queries(["a b"])[0], atol=1e-6)
    found = asyncio.run(embedding.aget_text_embedding_batch(CODES))
    np.testing.assert_allclose(found, own.encode_passages(CODES), atol=1e-6)
    found = asyncio.run(embedding.aget_query_embedding("a b"))
    np.testing.assert_allclose(found, own.encode_queries(["a b"])[0], atol=1e-6)


def test_it_is_described_by_the_encoders_name_and_made_again_from_that() -> None:
    from retrieval.rag.embedding import C2llmEmbedding

    embedding = C2llmEmbedding("overlap")
    again = C2llmEmbedding.from_dict(embedding.to_dict())
    assert (again.encoder, again.model_name, again.embed_batch_size) == ("overlap", "overlap", 256)
    np.testing.assert_allclose(again.get_text_embedding("a b"), embedding.get_text_embedding("a b"))


def test_an_index_of_llama_index_finds_with_it_also_through_a_server() -> None:
    from llama_index.core import VectorStoreIndex
    from llama_index.core.schema import TextNode

    from retrieval.rag.embedding import C2llmEmbedding

    with ours() as server:
        index = VectorStoreIndex([TextNode(text=code) for code in CODES], embed_model=C2llmEmbedding(load(server.url)))
        (best,) = index.as_retriever(similarity_top_k=1).retrieve("where do we apply ignore rules")
    assert best.get_content() == CODES[0]
