"""The live index of a workspace as a llama-index retriever.

    from retrieval.engine import Workspace
    from retrieval.rag.retriever import WorkspaceRetriever

    with Workspace.open("~/project") as workspace:
        workspace.refresh()
        nodes = WorkspaceRetriever(workspace, limit=8).retrieve("where are redirects followed")

Each call asks the index as it is then, open buffers included, by meaning, words and names together. A node is one result; its
metadata cites path and lines, and tells the signals of its score and how current the index was. The text is of the workspace:
data, and not to be followed as instructions.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

from retrieval.engine import Workspace
from retrieval.errors import MissingExtraError
from retrieval.types import NO_FILTERS, Answer, Filters, Hit, SearchRequest

try:
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.schema import NodeRelationship, NodeWithScore, QueryBundle, RelatedNodeInfo, TextNode
except ImportError as error:
    raise MissingExtraError("A llama-index retriever", "rag") from error

from retrieval.rag.nodes import place_metadata

# What neither an embedding model nor a language model is to read: it is for programs.
FOR_PROGRAMS = ["signals", "salient_lines", "copies", "stale", "pending_files", "pending_chunks", "encoder", "notes"]


class WorkspaceRetriever(BaseRetriever):
    """Safe to use from several threads, as the workspace is; the asynchronous calls run in a thread. Raises QueryError."""

    def __init__(self, workspace: Workspace, *, limit: int = 10, filters: Filters = NO_FILTERS, **options: Any) -> None:
        self._workspace = workspace
        self._limit = limit
        self._filters = filters
        super().__init__(**options)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        request = SearchRequest(query_bundle.query_str, self._filters, self._limit, highlight=True)
        answer = self._workspace.search(request)
        return [NodeWithScore(node=hit_node(hit, answer), score=hit.score) for hit in answer.hits]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


def hit_node(hit: Hit, answer: Answer) -> TextNode:
    """A hit as a node, whose id is that of the same lines with the same text in any answer."""
    chunk, freshness = hit.chunk, answer.freshness
    metadata = place_metadata(chunk, hit.start_line, hit.end_line) | {
        "signals": {signal.name: float(signal.effect) for signal in hit.signals},
        "salient_lines": list(hit.salient_lines),
        "copies": [f"{copy.path}:{copy.first_line}-{copy.last_line}" for copy in hit.copies],
        "stale": freshness.stale,
        "pending_files": freshness.pending_files,
        "pending_chunks": freshness.pending_chunks,
        "encoder": answer.encoder,
        "notes": list(answer.notes),
    }
    place = f"{chunk.path}\0{hit.start_line}\0{hit.text}".encode("utf-8", "replace")
    return TextNode(
        id_=hashlib.sha256(place).hexdigest()[:32],
        text=hit.text,
        metadata=metadata,
        excluded_embed_metadata_keys=FOR_PROGRAMS,
        excluded_llm_metadata_keys=FOR_PROGRAMS,
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=chunk.path)},
    )
