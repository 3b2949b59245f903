"""Cuts documents into code chunks for any llama-index pipeline, as the index cuts files.

    from llama_index.core import SimpleDirectoryReader
    from retrieval.rag.node_parser import CodeNodeParser

    documents = SimpleDirectoryReader("src", recursive=True).load_data()
    nodes = CodeNodeParser().get_nodes_from_documents(documents)

A node is a function, a class with its short members, a section, ... and says its path, lines, language, kind, symbol and scope. It
is related to its document, to the nodes before and behind it, and a member to the node with the head of its class.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from retrieval.chunking import chunk_file
from retrieval.errors import MissingExtraError
from retrieval.types import Chunk

try:
    from llama_index.core.bridge.pydantic import Field, field_validator
    from llama_index.core.node_parser.interface import IdFuncCallable, NodeParser
    from llama_index.core.schema import BaseNode, MetadataMode, NodeRelationship, TextNode
except ImportError as error:
    raise MissingExtraError("A llama-index node parser", "rag") from error

from retrieval.rag.nodes import place_metadata

# Where readers put the path of a document, the most telling first.
_PATHS = ("path", "file_path", "file_name", "filename")


def content_id(number: int, document: BaseNode) -> str:
    """The id of a document's nth node: the same for the same document with the same text, as a pipeline's cache wants it."""
    return hashlib.sha256(f"{document.node_id}\0{document.hash}\0{number}".encode("utf-8", "replace")).hexdigest()[:32]


class CodeNodeParser(NodeParser):
    """A document's language is told by its path and its text; one without a path is cut as plain text. Never raises for
    what a document holds.
    """

    id_func: IdFuncCallable = Field(default=content_id, description="Makes the id of a document's nth node.")

    @field_validator("id_func", mode="before")
    @classmethod
    def _written_as_a_name(cls, value: Any) -> Any:
        """llama-index writes the function as its name, from which it cannot be had again."""
        return content_id if value is None or isinstance(value, dict) else value

    @classmethod
    def class_name(cls) -> str:
        return "CodeNodeParser"

    def _parse_nodes(self, nodes: Sequence[BaseNode], show_progress: bool = False, **_: Any) -> list[BaseNode]:
        from llama_index.core.utils import get_tqdm_iterable

        parsed: list[BaseNode] = []
        for document in get_tqdm_iterable(nodes, show_progress, "Parsing nodes"):
            path = next((str(document.metadata[name]) for name in _PATHS if document.metadata.get(name)), "")
            parsed += self._nodes(document, chunk_file(path, document.get_content(MetadataMode.NONE)))
        return parsed

    def _nodes(self, document: BaseNode, chunks: Sequence[Chunk]) -> list[TextNode]:
        nodes: list[TextNode] = []
        by_name: dict[str, TextNode] = {}
        for number, chunk in enumerate(chunks):
            node = TextNode(
                id_=self.id_func(number, document),
                text=chunk.text,
                metadata=place_metadata(chunk, chunk.start_line, chunk.end_line),
                relationships={NodeRelationship.SOURCE: document.as_related_node_info()},
                excluded_embed_metadata_keys=list(document.excluded_embed_metadata_keys),
                excluded_llm_metadata_keys=list(document.excluded_llm_metadata_keys),
            )
            if (head := by_name.get(chunk.scope)) is not None:
                node.relationships[NodeRelationship.PARENT] = head.as_related_node_info()
                children = [*(head.child_nodes or ()), node.as_related_node_info()]
                head.relationships[NodeRelationship.CHILD] = children
            if chunk.symbol:
                by_name.setdefault(chunk.qualified, node)
            nodes.append(node)
        return nodes
