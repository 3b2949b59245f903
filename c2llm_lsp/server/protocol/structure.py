"""`c2llm/symbol` and `c2llm/outline`: parameters and answers."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from c2llm_lsp.server.protocol.base import (
    Count,
    FolderParams,
    Freshness,
    Line,
    Position,
    ProtocolType,
    Range,
    TextDocument,
    Uri,
)

Path = Annotated[str, Meta(description="Relative to the folder, with / as separator")]
SymbolKind = Annotated[str, Meta(description="function, method, class, or block for a variable")]
Certainty = Annotated[
    Literal["certain", "likely", "by name"],
    Meta(
        description="Resolved by scope or an import; the only or nearest definition of the name; no more than its name"
    ),
]


class SymbolParams(FolderParams, frozen=True, kw_only=True):
    """`c2llm/symbol`: callers, callees or references of a symbol, or of what is defined around a position."""

    relation: Literal["callers", "callees", "references"]
    symbol: Annotated[str, Meta(description="A name, as in `apply` or `Store.apply`")] = ""
    text_document: TextDocument | None = None
    position: Position | None = None


class SymbolDefinition(ProtocolType, frozen=True, kw_only=True):
    """Where a symbol is defined. The range is of whole lines."""

    uri: Uri
    folder: Annotated[str, Meta(description="URI of the workspace folder")]
    path: Path
    range: Range
    line: Annotated[Line, Meta(description="The line of its name")]
    language: str
    kind: SymbolKind
    name: str
    scope: str


class SymbolUsage(ProtocolType, frozen=True, kw_only=True):
    """A line where a symbol is used; of callees, where what is called is defined."""

    uri: Uri
    folder: Annotated[str, Meta(description="URI of the workspace folder")]
    path: Path
    range: Annotated[Range, Meta(description="The line, to the beginning of the next one")]
    kind: Annotated[str, Meta(description="call, import, mention or definition")]
    symbol: Annotated[str, Meta(description="The definition around the line; of callees, what is called")]
    text: Annotated[str, Meta(description="The line, without blanks at its ends")]
    certainty: Certainty
    calls: Annotated[list[Line], Meta(description="Of callees: the lines that call it")]


class SymbolAnswer(ProtocolType, frozen=True, kw_only=True):
    """The answer of `c2llm/symbol`, the best known usages first."""

    definitions: list[SymbolDefinition]
    usages: list[SymbolUsage]
    total: Annotated[int, Meta(ge=0, description="Usages, those beyond the limit included")]
    near: Annotated[list[str], Meta(description="Names like one that is not defined in the index")]
    unresolved: Annotated[list[str], Meta(description="Names that are called and not defined in the index")]
    freshness: Freshness
    seconds: float
    notes: list[str]


class OutlineParams(ProtocolType, frozen=True, kw_only=True):
    """`c2llm/outline`: what a document, a file or folder of a workspace folder, or all of it defines."""

    text_document: TextDocument | None = None
    folder: Annotated[str, Meta(description="URI of the workspace folder; all folders if absent")] | None = None
    path: Annotated[str, Meta(description="A file or folder in it, with / as separator; all of it if empty")] = ""
    budget: Annotated[int, Meta(ge=1, le=1_000_000, description="Token budget, for each folder")] = 2_000
    wait_for_edits: Annotated[bool, Meta(description="Answer after the edits sent so far are indexed")] = False


class OutlineEntry(ProtocolType, frozen=True, kw_only=True):
    """A definition that is shown. `depth`: how many definitions of the file are around it."""

    name: str
    kind: SymbolKind
    scope: str
    line: Annotated[Line, Meta(description="The line of its name")]
    last_line: Line
    depth: Count
    text: Annotated[str, Meta(description="The line, without blanks at its ends")]


class OutlinedFile(ProtocolType, frozen=True, kw_only=True):
    """A file with those of its definitions that fit."""

    uri: Uri
    folder: Annotated[str, Meta(description="URI of the workspace folder")]
    path: Path
    entries: list[OutlineEntry]
    left_out: Count


class OutlineAnswer(ProtocolType, frozen=True, kw_only=True):
    """The answer of `c2llm/outline`. `filesLeftOut` counts files of which nothing is shown."""

    files: list[OutlinedFile]
    files_left_out: Count
    tokens: Count
    freshness: Freshness
    notes: list[str]
