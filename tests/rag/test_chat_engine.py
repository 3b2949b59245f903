"""A llama-index chat engine whose answers cite lines."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from retrieval.engine import Workspace
from retrieval.errors import QueryError
from retrieval.rag.chat_engine import CitationChatEngine, citation_chat_engine
from retrieval.rag.retriever import WorkspaceRetriever
from tests.rag.test_citations import ScriptedLLM, workspace

__all__ = ["workspace"]  # a fixture

ANSWER = "It refunds [orders.py:2-4], then mails [mail.py:1-9]."


def engine_of(workspace: Workspace, llm: ScriptedLLM) -> CitationChatEngine:
    return citation_chat_engine(WorkspaceRetriever(workspace), llm=llm, root=workspace.root)


def test_an_answer_is_checked_also_against_the_file_of_now(workspace: Workspace) -> None:
    engine = engine_of(workspace, ScriptedLLM(answer=ANSWER))
    response = engine.chat("how are orders cancelled")
    assert response.metadata is not None
    assert [(cited["path"], cited["retrieved"]) for cited in response.metadata["citations"]] == [
        ("orders.py", True),
        ("mail.py", False),
    ]
    assert response.source_nodes and [cited.changed for cited in engine.citations(ANSWER)] == [False, False]
    Path(workspace.root, "orders.py").write_text("x = 1\n")
    assert [cited.changed for cited in engine.citations(ANSWER)] == [True, False]


def test_a_follow_up_is_condensed_and_a_history_can_be_given(workspace: Workspace) -> None:
    llm = ScriptedLLM(answer=ANSWER)
    engine = engine_of(workspace, llm)
    assert "".join(engine.stream_chat("how are orders cancelled").response_gen) == ANSWER
    history = engine.chat_history
    assert [message.content for message in history] == ["how are orders cancelled", ANSWER]

    async def streamed() -> str:
        response = await engine.astream_chat("and then", chat_history=history)
        return "".join([piece async for piece in response.async_response_gen()])

    assert asyncio.run(streamed()) == ANSWER
    assert len(engine.chat_history) == 4
    engine.reset()
    assert engine.chat_history == []
    assert asyncio.run(engine.achat("cancel")).response == ANSWER


def test_a_budget_below_one_is_refused(workspace: Workspace) -> None:
    with pytest.raises(QueryError, match="from 1"):
        citation_chat_engine(WorkspaceRetriever(workspace), llm=ScriptedLLM(answer=""), budget=0)
