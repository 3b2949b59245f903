"""A query engine whose answers cite lines, checked against those that the model was given."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.llms.types import CompletionResponse, CompletionResponseGen, LLMMetadata
from llama_index.core.base.response.schema import Response
from llama_index.core.bridge.pydantic import Field
from llama_index.core.llms import CustomLLM
from llama_index.core.llms.callbacks import llm_completion_callback
from llama_index.core.schema import NodeWithScore, TextNode

from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.rag.citations import Citation, check_citations, citation_query_engine
from retrieval.rag.cited_lines import MAX_CITATIONS, check, cited_locations
from retrieval.rag.retriever import WorkspaceRetriever

ORDERS = '''class Order:
    def cancel_order(self, reason):
        """Cancel the order and refund the payment."""
        self.refund_payment(reason)
'''


class ScriptedLLM(CustomLLM):
    """Says what it is told to, and keeps what it was asked."""

    answer: str
    prompts: list[str] = Field(default_factory=list)

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(context_window=32_000)

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **_: Any) -> CompletionResponse:
        self.prompts.append(prompt)
        return CompletionResponse(text=self.answer)

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **_: Any) -> CompletionResponseGen:
        yield CompletionResponse(text=self.answer, delta=self.answer)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "orders.py").write_text(ORDERS)
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=tmp_path / "cache") as opened:
        opened.refresh()
        yield opened


def test_an_answer_is_written_from_cited_lines_and_its_citations_are_checked(workspace: Workspace) -> None:
    llm = ScriptedLLM(answer="It refunds [orders.py:2-4], then mails [mail.py:1-9] and more [orders.py:90].")
    response = citation_query_engine(WorkspaceRetriever(workspace), llm=llm).query("how are orders cancelled")
    assert isinstance(response, Response)
    assert response.metadata is not None
    assert [(cited["path"], cited["retrieved"]) for cited in response.metadata["citations"]] == [
        ("orders.py", True),
        ("mail.py", False),
        ("orders.py", False),
    ]
    assert "self.refund_payment(reason)" in llm.prompts[0]
    assert "path: orders.py" in llm.prompts[0]
    assert "how are orders cancelled" in llm.prompts[0]


def test_awaited_it_is_checked_too(workspace: Workspace) -> None:
    engine = citation_query_engine(WorkspaceRetriever(workspace), llm=ScriptedLLM(answer="[orders.py:1]"))
    response = asyncio.run(engine.aquery("cancel"))
    assert isinstance(response, Response)
    assert response.metadata is not None
    assert response.metadata["citations"][0]["retrieved"] is True


@pytest.mark.parametrize(
    ("text", "citations"),
    [
        ("see [a.py:3-5] and [a.py:3-5]", [Citation("a.py", 3, 5, True)]),
        ("[a.py:5-3] [a.py:0]", [Citation("a.py", 5, 3, False), Citation("a.py", 0, 0, False)]),
        ("[a.py:1-999999999]", [Citation("a.py", 1, 999_999_999, False)]),
        ("a[1:2], [x], [link](http://a:80) [[a.py:4]]", [Citation("a.py", 4, 4, True)]),
        ("", []),
    ],
)
def test_what_counts_as_a_citation(text: str, citations: list[Citation]) -> None:
    node = TextNode(text="x", metadata={"path": "a.py", "start_line": 3, "end_line": 9})
    odd = TextNode(text="y", metadata={"path": 7, "start_line": "x"})
    found = check_citations(text, [NodeWithScore(node=node), NodeWithScore(node=odd)])
    assert [cited for cited in found if cited.path != "1"] == citations


def test_an_answer_full_of_citations_reads_each_file_once_and_has_an_end() -> None:
    lines = dict.fromkeys(range(1, 1001), "x")
    read: list[str] = []

    def lines_now(path: str) -> list[str]:
        read.append(path)
        return ["x"] * 1_000

    text = "".join(f"[a.py:{number}] " for number in range(1, 1_001))
    assert len(check(text, {"a.py": lines}, lines_now)) == MAX_CITATIONS
    assert len(cited_locations(f"[a.py:{','.join(map(str, range(1, 60)))}]" * 1_000)) == 59
    assert read == ["a.py"]
