"""What the types of all own requests share: positions, ranges, filters, freshness.

Names on the wire are camelCase; positions, ranges and line numbers are LSP's (from 0, columns in the negotiated encoding).
Fields may be added; a field that changes its meaning or goes raises `fast_initialize.VERSION`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from lsprotocol import types as lsp
from msgspec import Meta, Struct, field

Kind = Literal["function", "method", "class", "block", "section", "cell", "window"]
Content = Literal["code", "docs", "config"]
Within = Literal["folder", "package", "open", "changed", "no-tests"]
State = Literal["opening", "indexing", "ready", "paused", "following", "failed"]
Line = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Count = Annotated[int, Meta(ge=0)]
Limit = Annotated[int, Meta(ge=1, le=1000, description="Number of results; the setting `results` if absent")]
Uri = Annotated[str, Meta(min_length=1)]
Share = Annotated[float, Meta(description="Share of the pooling attention; all shares add up to 1")]
WaitForEdits = Annotated[bool, Meta(description="Answer after the edits sent so far are indexed, instead of at once")]


class ProtocolType(Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of every own type: immutable, camelCase on the wire."""


class Position(ProtocolType, frozen=True, kw_only=True):
    """A position between two characters, as in LSP."""

    line: Line
    character: Line


class Range(ProtocolType, frozen=True, kw_only=True):
    """From `start` to before `end`, as in LSP."""

    start: Position
    end: Position


class TextDocument(ProtocolType, frozen=True, kw_only=True):
    """A document by its URI."""

    uri: Uri


class Scope(ProtocolType, frozen=True, kw_only=True):
    """Which part of the folders is searched; each of `within` narrows it further. "folder": the folder of `document`, and what is
    below it; "package": the package that it is part of; "open": what is open; "changed": what differs from the last commit.
    """

    within: list[Within]
    document: Annotated[str, Meta(description='URI of the document that "folder" and "package" are about')] = ""
    open: (
        Annotated[list[Uri], Meta(description="What is open; if absent, the documents that are open in the server")]
        | None
    ) = None


class FolderParams(ProtocolType, frozen=True, kw_only=True):
    """What is asked about, in which files; empty filters match everything."""

    limit: Limit | None = None
    folder: (
        Annotated[str, Meta(description="URI of the one workspace folder to search; all folders if absent")] | None
    ) = None
    languages: Annotated[list[str], Meta(description='Such as "python"')] = field(default_factory=list)
    paths: Annotated[list[str], Meta(description='Globs as in .gitignore; one that begins with "!" excludes')] = field(
        default_factory=list
    )
    scope: Scope | None = None
    wait_for_edits: WaitForEdits = False


class QueryParams(FolderParams, frozen=True, kw_only=True):
    """Filters and limit of a query; empty filters match everything."""

    kinds: list[Kind] = field(default_factory=list)
    content: Annotated[list[Content], Meta(description="Types of files")] = field(default_factory=list)
    grep: Annotated[str, Meta(description="A regular expression (RE2's syntax) that the code of a hit matches")] = ""


class Freshness(ProtocolType, frozen=True, kw_only=True):
    """How current an answer is. Pending: known work that is not done yet. Stale: disk and index may differ."""

    files: Annotated[int, Meta(ge=0, description="Files in the index")]
    chunks: Annotated[int, Meta(ge=0, description="Chunks in the index")]
    pending_files: Annotated[int, Meta(ge=0, description="Files and open buffers known to differ from the index")]
    pending_chunks: Annotated[int, Meta(ge=0, description="Chunks without vectors yet: keyword search only")]
    stale: bool


def to_protocol_range(span: lsp.Range) -> Range:
    start, end = span.start, span.end
    return Range(
        start=Position(line=start.line, character=start.character), end=Position(line=end.line, character=end.character)
    )


def to_lsp_range(span: Range) -> lsp.Range:
    start, end = span.start, span.end
    return lsp.Range(lsp.Position(start.line, start.character), lsp.Position(end.line, end.character))
