"""`c2llm/context` and the command that saves its answer: parameters and answers."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from c2llm_lsp.server.protocol.base import Count, Freshness, Position, ProtocolType, QueryParams, Range, TextDocument


class ContextParams(QueryParams, frozen=True, kw_only=True):
    """`c2llm/context`: context for an assistant, as Markdown: for a question, for a range or position of a document, or
    for both together. `limit` is the maximum number of results to pack; as many as the budget has room for if absent.
    """

    query: str | None = None
    text_document: TextDocument | None = None
    position: Position | None = None
    range: Range | None = None
    budget: Annotated[int, Meta(ge=1, le=1_000_000, description="Token budget, counted as in the answer")] = 4_000


class Citation(ProtocolType, frozen=True, kw_only=True):
    """One cited range of a context."""

    uri: str
    folder: str
    path: Annotated[str, Meta(description="Relative to the folder, with / as separator")]
    range: Range
    kind: Literal["code", "outline"]


class ContextAnswer(ProtocolType, frozen=True, kw_only=True):
    """The answer of `c2llm/context`."""

    text: Annotated[str, Meta(description="Markdown that cites path:line")]
    pieces: list[Citation]
    tokens: Count
    budget: Count
    left_out: Annotated[int, Meta(ge=0, description="Results that did not fit into the budget")]
    encoder: Annotated[str, Meta(description="Encoder whose vectors were used; empty for a keyword-only search")]
    freshness: Freshness
    notes: list[str]


class SavedContext(ContextAnswer, frozen=True, kw_only=True):
    """The result of the command `c2llm.server.context`: the answer, and the Markdown file it was saved to."""

    file: Annotated[str, Meta(description="URI of the file, removed after a day; empty if nothing was found")]
