"""A llama-index chat engine over any retriever: follow-ups are condensed, answers cite lines, citations are checked.

    engine = citation_chat_engine(WorkspaceRetriever(workspace, limit=40), llm=llm, budget=4000)
    response = engine.chat("where are redirects followed")
    for citation in response.metadata["citations"]:
        print(citation["path"], citation["first_line"], citation["last_line"], citation["retrieved"])

It is the conversation of `c2llm chat`. A streamed answer is checked by `engine.citations(text)`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

from retrieval.errors import MissingExtraError, QueryError

try:
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole
    from llama_index.core.chat_engine.types import AgentChatResponse, BaseChatEngine, StreamingAgentChatResponse
    from llama_index.core.llms import LLM
    from llama_index.core.schema import MetadataMode, NodeWithScore
    from llama_index.core.settings import Settings
except ImportError as error:
    raise MissingExtraError("A llama-index chat engine", "rag") from error

from retrieval.llm.llama_index import LlamaIndexModel
from retrieval.rag.cited_lines import Citation, lines_on_disk
from retrieval.rag.context import DEFAULT_BUDGET, PackedContext, asks_for_tests
from retrieval.rag.conversation import Conversation, Question, count_numbered
from retrieval.rag.nodes import hit_of
from retrieval.rag.packing import PackOptions, pack
from retrieval.rag.token_estimate import estimate_tokens
from retrieval.types import Freshness


def citation_chat_engine(
    retriever: BaseRetriever, *, llm: LLM | None = None, budget: int = DEFAULT_BUDGET, root: Path | None = None
) -> CitationChatEngine:
    """A chat engine over a retriever. Without `llm` it is that of llama-index's settings; with `root`, the folder of the paths,
    citations of lines that have changed since are marked. Raises QueryError for a budget below 1.
    """
    if budget < 1:
        raise QueryError(f"The budget is {budget}; give a number of tokens, from 1.")
    return CitationChatEngine(retriever, llm or Settings.llm, budget, root)


class CitationChatEngine(BaseChatEngine):
    """One conversation at a time."""

    def __init__(self, retriever: BaseRetriever, llm: LLM, budget: int, root: Path | None) -> None:
        self._retriever = retriever
        self._budget = budget
        self._nodes: list[NodeWithScore] = []
        lines_now: Callable[[str], Sequence[str] | None] | None = None
        if root is not None:
            folder = root.resolve()
            lines_now = lambda path: lines_on_disk(folder, path)  # noqa: E731
        self._conversation = Conversation(self._retrieve, LlamaIndexModel(llm), lines_now)

    def reset(self) -> None:
        """Forget the conversation."""
        self._conversation.clear()

    def citations(self, answer: str) -> list[Citation]:
        """What an answer cites, checked against all lines that the model was given."""
        return self._conversation.citations(answer)

    def chat(self, message: str, chat_history: list[ChatMessage] | None = None) -> AgentChatResponse:
        question = self._prepare(message, chat_history)
        text = "".join(self._conversation.answer(question))
        cited = [asdict(citation) for citation in self.citations(text)]
        return AgentChatResponse(response=text, source_nodes=self._nodes, metadata={"citations": cited})

    def stream_chat(self, message: str, chat_history: list[ChatMessage] | None = None) -> StreamingAgentChatResponse:
        question = self._prepare(message, chat_history)
        return StreamingAgentChatResponse(
            chat_stream=self._responses(question), source_nodes=self._nodes, is_writing_to_memory=False
        )

    async def achat(self, message: str, chat_history: list[ChatMessage] | None = None) -> AgentChatResponse:
        return await asyncio.to_thread(self.chat, message, chat_history)

    async def astream_chat(
        self, message: str, chat_history: list[ChatMessage] | None = None
    ) -> StreamingAgentChatResponse:
        question = await asyncio.to_thread(self._prepare, message, chat_history)

        async def stream() -> AsyncIterator[ChatResponse]:
            responses = self._responses(question)
            while (response := await asyncio.to_thread(next, responses, None)) is not None:
                yield response

        return StreamingAgentChatResponse(
            achat_stream=stream(),  # type: ignore[arg-type]  # an async generator is one
            source_nodes=self._nodes,
            is_writing_to_memory=False,
        )

    @property
    def chat_history(self) -> list[ChatMessage]:
        turns = self._conversation.turns
        roles = (MessageRole.USER, MessageRole.ASSISTANT)
        return [ChatMessage(role=role, content=text) for turn in turns for role, text in zip(roles, turn, strict=True)]

    def _prepare(self, message: str, history: list[ChatMessage] | None) -> Question:
        if history is not None:
            self._conversation.turns[:] = [
                (str(asked.content or ""), str(answered.content or ""))
                for asked, answered in pairwise(history)
                if asked.role == MessageRole.USER and answered.role == MessageRole.ASSISTANT
            ]
        return self._conversation.prepare(message)

    def _responses(self, question: Question) -> Generator[ChatResponse, None, None]:
        text = ""
        for piece in self._conversation.answer(question):
            text += piece
            yield ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text), delta=piece)

    def _retrieve(self, query: str) -> PackedContext:
        """The retriever's nodes as code; those that do not say which lines they are cannot be cited and are left out."""
        self._nodes = self._retriever.retrieve(query)
        hits = [hit_of(node.node, node.node.get_content(MetadataMode.NONE), node.score or 0.0) for node in self._nodes]
        options = PackOptions(count=count_numbered(estimate_tokens), tests=asks_for_tests(query))
        packed = pack([hit for hit in hits if hit is not None], self._budget, options)
        return PackedContext(packed, Freshness(0, 0), "", 0.0)
