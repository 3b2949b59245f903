"""The live index as a llama-index retriever."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from llama_index.core.schema import MetadataMode, TextNode

from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.errors import QueryError
from retrieval.rag.retriever import WorkspaceRetriever
from retrieval.types import Filters

ORDERS = '''class Order:
    def cancel_order(self, reason):
        """Cancel the order and refund the payment."""
        self.refund_payment(reason)
'''


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "orders.py").write_text(ORDERS)
    (root / "mail.go").write_text("package mail\n\nfunc CancelMail() {\n\trefundPayment()\n}\n")
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=tmp_path / "cache") as opened:
        opened.refresh()
        yield opened


def test_a_node_is_a_result_that_cites_its_lines_and_tells_how_it_was_ranked(workspace: Workspace) -> None:
    first, *_ = WorkspaceRetriever(workspace).retrieve("cancel order")
    metadata = first.node.metadata
    assert (metadata["path"], metadata["start_line"], metadata["end_line"]) == ("orders.py", 1, 4)
    assert (metadata["language"], metadata["stale"], metadata["encoder"]) == ("python", False, "overlap")
    assert metadata["signals"] and first.score is not None
    assert first.node.get_content() == ORDERS.rstrip("\n")
    assert "orders.py" in first.node.get_content(MetadataMode.LLM)
    assert "signals" not in first.node.get_content(MetadataMode.LLM)


def test_limit_and_filters_hold_and_a_wrong_filter_is_an_error(workspace: Workspace) -> None:
    assert len(WorkspaceRetriever(workspace, limit=1).retrieve("cancel")) == 1
    nodes = WorkspaceRetriever(workspace, filters=Filters(languages=("go",))).retrieve("cancel")
    assert {node.node.metadata["path"] for node in nodes} == {"mail.go"}
    with pytest.raises(QueryError, match="no language"):
        WorkspaceRetriever(workspace, filters=Filters(languages=("klingon",))).retrieve("cancel")


def test_awaited_it_answers_the_same(workspace: Workspace) -> None:
    retriever = WorkspaceRetriever(workspace)
    nodes = asyncio.run(retriever.aretrieve("cancel order"))
    assert [node.node.node_id for node in nodes] == [node.node.node_id for node in retriever.retrieve("cancel order")]


def test_each_call_sees_the_index_of_that_moment(workspace: Workspace) -> None:
    retriever = WorkspaceRetriever(workspace)
    workspace.set_buffer("orders.py", ORDERS.replace("reason", "cause"))
    first, *_ = retriever.retrieve("cancel order")
    assert "cause" in first.node.get_content()


def test_a_node_is_the_same_after_it_was_stored(workspace: Workspace) -> None:
    node = WorkspaceRetriever(workspace).retrieve("cancel order")[0].node
    assert TextNode.from_dict(node.to_dict()) == node
