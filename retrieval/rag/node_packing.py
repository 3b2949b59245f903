"""Fits the nodes of any llama-index retriever into a budget of tokens.

    engine = RetrieverQueryEngine.from_args(retriever, node_postprocessors=[PackingPostprocessor(budget=4000)])

Lines that several nodes share are given once, the best functions whole, the others as what matters of them. What remains cites its
lines. Nodes that do not say which lines they are stay as they are, as far as there is room.
"""

from __future__ import annotations

from collections.abc import Sequence

from retrieval.errors import MissingExtraError, QueryError

try:
    from llama_index.core.bridge.pydantic import Field
    from llama_index.core.postprocessor.types import BaseNodePostprocessor
    from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle, TextNode
except ImportError as error:
    raise MissingExtraError("A llama-index node postprocessor", "rag") from error

from retrieval.rag.context import asks_for_tests
from retrieval.rag.nodes import hit_of
from retrieval.rag.packing import PackOptions, pack
from retrieval.rag.spans import ContextSpan
from retrieval.rag.token_count import token_count
from retrieval.types import Hit


class PackingPostprocessor(BaseNodePostprocessor):
    """`tokenizer` is as in `c2llm context --tokenizer`. Raises QueryError for a budget below 1 and an unknown tokenizer."""

    budget: int = Field(default=4_000, description="Tokens that all nodes together may have, headings included.")
    tokenizer: str = Field(
        default="estimate", description="Whose tokens are counted: a model's name, a file, an estimate."
    )

    @classmethod
    def class_name(cls) -> str:
        return "PackingPostprocessor"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        if self.budget < 1:
            raise QueryError(f"The budget is {self.budget}; give a number of tokens, from 1.")
        count = token_count(self.tokenizer).count
        hits: list[Hit] = []
        others: list[NodeWithScore] = []
        for node in nodes:
            hit = hit_of(node.node, node.node.get_content(MetadataMode.NONE), node.score or 0.0)
            if hit is None:
                others.append(node)
            else:
                hits.append(hit)
        tests = query_bundle is not None and asks_for_tests(query_bundle.query_str)
        packed = pack(hits, self.budget, PackOptions(count=count, tests=tests))
        kept = [_node(span, hits) for span in packed.spans]
        room = self.budget - packed.tokens
        for node in others:
            cost = count(node.node.get_content(MetadataMode.LLM))
            if cost <= room:
                kept.append(node)
                room -= cost
        return kept


def _node(span: ContextSpan, hits: Sequence[Hit]) -> NodeWithScore:
    """A span as a node, with the score of the best hit that it shows lines of."""
    scores = [
        hit.score
        for hit in hits
        if hit.chunk.path == span.path and hit.start_line <= span.end_line and hit.end_line >= span.start_line
    ]
    metadata = {
        "path": span.path,
        "start_line": span.start_line,
        "end_line": span.end_line,
        "language": span.language,
        "symbol": span.symbol,
    }
    return NodeWithScore(node=TextNode(text=span.text, metadata=metadata), score=max(scores, default=None))
