"""`c2llm/search` and `c2llm/similar`: parameters and answer."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from c2llm_lsp.server.protocol.base import (
    Freshness,
    Kind,
    Line,
    Position,
    ProtocolType,
    QueryParams,
    Range,
    TextDocument,
)


class SearchParams(QueryParams, frozen=True, kw_only=True):
    """`c2llm/search`: the best matches for a question in words, or a name."""

    query: str


class SimilarParams(QueryParams, frozen=True, kw_only=True):
    """`c2llm/similar`: the code most similar to `text`, to a range of a document, or to the chunk at a position of it.
    The range, or the chunk at the position, is excluded.
    """

    text_document: TextDocument | None = None
    position: Position | None = None
    range: Range | None = None
    text: str | None = None


class Signal(ProtocolType, frozen=True, kw_only=True):
    """One ranking signal: its raw value and its effect on the score."""

    name: str
    value: float
    effect: float


class Copy(ProtocolType, frozen=True, kw_only=True):
    """Another place of a result's text."""

    uri: str
    path: Annotated[str, Meta(description="Relative to the folder, with / as separator")]
    range: Range


class Hit(ProtocolType, frozen=True, kw_only=True):
    """One ranked result."""

    uri: str
    folder: Annotated[str, Meta(description="URI of the workspace folder")]
    path: Annotated[str, Meta(description="Relative to the folder, with / as separator")]
    range: Range
    selection_range: Annotated[
        Range, Meta(description="From the name of the best match to its end: where to put the cursor")
    ]
    label: Annotated[str, Meta(description="Title in a list; empty if the code has no name")]
    language: str
    kind: Kind
    symbol: str
    scope: str
    score: Annotated[float, Meta(description="Higher is better; comparable within one answer")]
    text: str
    salient_lines: Annotated[list[Line], Meta(description="The most relevant lines, ascending")]
    answer_line: Annotated[Line, Meta(description="The line that says most beside the label, for a list")]
    marks: Annotated[list[Range], Meta(description="What matches the query in the salient lines and the answer line")]
    weak: Annotated[bool, Meta(description="Far below the best result, or nothing certain was found: to be dimmed")]
    signals: list[Signal]
    copies: Annotated[list[Copy], Meta(description="Where the same text, or nearly the same, stands as well")]


class Answer(ProtocolType, frozen=True, kw_only=True):
    """The answer of `c2llm/search` and `c2llm/similar`, best first."""

    hits: list[Hit]
    freshness: Freshness
    encoder: Annotated[str, Meta(description="Encoder whose vectors were used; empty for a keyword-only search")]
    seconds: float
    notes: Annotated[list[str], Meta(description="Sentences about this answer for the user")]
