"""`c2llm/explain`: parameters and answer."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from c2llm_lsp.server.protocol.base import (
    Freshness,
    Kind,
    Line,
    Position,
    ProtocolType,
    Range,
    Share,
    TextDocument,
    WaitForEdits,
)


class ExplainParams(ProtocolType, frozen=True, kw_only=True):
    """`c2llm/explain`: the model's attention over the code at a position and, with a query, which code matches it."""

    text_document: TextDocument
    position: Position
    query: str | None = None
    wait_for_edits: WaitForEdits = False


class TokenAttention(ProtocolType, frozen=True, kw_only=True):
    """The attention on one token of the code."""

    range: Range
    weight: Share


class HeaderAttention(ProtocolType, frozen=True, kw_only=True):
    """The attention on one token of the passage header (path and name)."""

    text: str
    weight: Share


class LineAttention(ProtocolType, frozen=True, kw_only=True):
    """The attention on one line that is not blank."""

    line: Line
    attention: Share
    effect: (
        Annotated[float, Meta(description="Drop in similarity to the query without this line; negative: a rise")] | None
    ) = None


class WordMatch(ProtocolType, frozen=True, kw_only=True):
    """A word of the query and the lines that contain one of its forms."""

    word: str
    rarity: Annotated[float, Meta(description="Inverse document frequency in the folder")]
    in_name: bool
    in_path: bool
    lines: list[Line]


class ExplainAnswer(ProtocolType, frozen=True, kw_only=True):
    """The answer of `c2llm/explain`: the chunk at the position, or the next one after it.

    Entropies are in bits. Without a query, or an encoder that exposes its attention, what depends on it is null or empty.
    """

    uri: str
    folder: str
    path: str
    range: Range
    language: str
    kind: Kind
    symbol: str
    scope: str
    text: str
    encoder: str
    looks: list[TokenAttention]
    header: list[HeaderAttention]
    lines: list[LineAttention]
    entropy: Annotated[float, Meta(ge=0, description="Entropy of the attention over all tokens")]
    uniform: Annotated[float, Meta(ge=0, description="Entropy of a uniform attention")]
    unread_from: Annotated[int, Meta(ge=0, description="First line beyond what the encoder reads")] | None
    query: str
    similarity: Annotated[float, Meta(description="Cosine of query and code")] | None
    header_effect: Annotated[float, Meta(description="Drop in similarity without path and name")] | None
    words: Annotated[list[WordMatch], Meta(description="Rarest first")]
    freshness: Freshness
    notes: list[str]
