"""Documents cut into code nodes for llama-index."""

from __future__ import annotations

import json

import pytest
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.schema import Document, NodeRelationship, TextNode

from retrieval.rag.node_parser import CodeNodeParser

BODY = "".join(f"        total = step_{n}(total, {n})\n" for n in range(60))
SHOP = f"class Shop:\n    limit = 3\n\n    def pay(self, total):\n{BODY}\n    def refund(self, total):\n{BODY}"


def parse(path: str, text: str, **metadata: str) -> list[TextNode]:
    nodes = CodeNodeParser().get_nodes_from_documents([Document(text=text, metadata={"path": path, **metadata})])
    return [node for node in nodes if isinstance(node, TextNode)]


def test_nodes_are_chunks_that_say_their_lines_and_names() -> None:
    nodes = parse("shop.py", SHOP, author="Ann")
    assert nodes[-1].metadata["symbol"] == "refund"
    assert nodes[-1].metadata["scope"] == "Shop"
    assert nodes[-1].metadata["author"] == "Ann"
    for node in nodes:
        lines = SHOP.split("\n")[node.metadata["start_line"] - 1 : node.metadata["end_line"]]
        assert node.text.strip() == "\n".join(lines).strip()


def test_nodes_are_related_to_document_neighbors_and_class() -> None:
    nodes = parse("shop.py", SHOP)
    head, last = nodes[0], nodes[-1]
    assert len(nodes) > 2
    assert last.parent_node is not None
    assert last.parent_node.node_id == head.node_id
    assert last.node_id in {child.node_id for child in head.child_nodes or ()}
    assert last.prev_node is not None
    assert last.prev_node.node_id == nodes[-2].node_id
    assert NodeRelationship.NEXT not in last.relationships
    assert {node.ref_doc_id for node in nodes} == {head.ref_doc_id}


def test_a_parser_is_written_and_read_again() -> None:
    parser = CodeNodeParser(include_prev_next_rel=False)
    data = json.loads(json.dumps(parser.to_dict()))
    assert data["class_name"] == "CodeNodeParser"
    assert CodeNodeParser.from_dict(data).include_prev_next_rel is False


def test_ids_are_those_of_the_text() -> None:
    first, again = (
        CodeNodeParser().get_nodes_from_documents([Document(id_="shop", text=SHOP, metadata={"path": "shop.py"})])
        for _ in range(2)
    )
    assert [node.node_id for node in first] == [node.node_id for node in again]
    assert len({node.node_id for node in first}) == len(first)


@pytest.mark.parametrize("text", ["", "\n\n", "(((", "\x00\x7f", "no code at all"])
@pytest.mark.parametrize("path", ["", "a.py", "no/such.ending"])
def test_whatever_a_document_holds_is_cut(path: str, text: str) -> None:
    assert "".join(node.text.strip() for node in parse(path, text)) == text.strip() or not text.strip()


def test_it_is_a_step_of_a_pipeline() -> None:
    pipeline = IngestionPipeline(transformations=[CodeNodeParser()])
    nodes = pipeline.run(documents=[Document(text=SHOP, metadata={"file_path": "src/shop.py"})])
    assert {node.metadata["language"] for node in nodes} == {"python"}
