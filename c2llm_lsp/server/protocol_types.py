"""The product's own requests, as types: what a client may send and what it gets.

Names on the wire are camelCase; positions, ranges and line numbers are LSP's (from 0, columns in the negotiated encoding).
Fields may be added; one that changes its meaning or goes raises `greeting.VERSION`. `schema` makes the JSON Schema of them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from lsprotocol import types as lsp
from msgspec import Meta, Struct, field

SEARCH, SIMILAR, CONTEXT = "c2llm/search", "c2llm/similar", "c2llm/context"
EXPLAIN, STATUS, STATUS_CHANGED = "c2llm/explain", "c2llm/status", "c2llm/statusChanged"

Kind = Literal["function", "method", "class", "block", "section", "cell", "window"]
State = Literal["opening", "indexing", "ready", "paused", "following", "failed"]
Line = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Count = Annotated[int, Meta(ge=0)]
Limit = Annotated[int, Meta(ge=1, le=1000, description="How many results; without it the setting `results`")]
Uri = Annotated[str, Meta(min_length=1)]
Share = Annotated[float, Meta(description="Of the attention that pooling gives to all tokens; all shares add up to 1")]
WaitForEdits = Annotated[bool, Meta(description="Answer after the edits sent so far are in, instead of at once")]


class Wire(Struct, frozen=True, kw_only=True, rename="camel"):
    """What all of these have in common."""


class Position(Wire, frozen=True, kw_only=True):
    """A place between two characters, as in LSP."""

    line: Line
    character: Line


class Range(Wire, frozen=True, kw_only=True):
    """From `start` to before `end`, as in LSP."""

    start: Position
    end: Position


class TextDocument(Wire, frozen=True, kw_only=True):
    """A document by its URI."""

    uri: Uri


class Filtered(Wire, frozen=True, kw_only=True):
    """What limits an answer; empty limits nothing."""

    limit: Limit | None = None
    folder: (
        Annotated[str, Meta(description="URI of the one workspace folder to ask; without it all are asked")] | None
    ) = None
    languages: Annotated[list[str], Meta(description='Such as "python"')] = field(default_factory=list)
    paths: Annotated[list[str], Meta(description='Globs as in .gitignore; one that begins with "!" excludes')] = field(
        default_factory=list
    )
    kinds: list[Kind] = field(default_factory=list)
    wait_for_edits: WaitForEdits = False


class SearchParams(Filtered, frozen=True, kw_only=True):
    """`c2llm/search`: the best places for a question in words, or a name."""

    query: str


class SimilarParams(Filtered, frozen=True, kw_only=True):
    """`c2llm/similar`: the places most like some code: `text`, a range of a document, or what is at a position of it.
    The range and what is at the position are left out.
    """

    text_document: TextDocument | None = None
    position: Position | None = None
    range: Range | None = None
    text: str | None = None


class ContextParams(Filtered, frozen=True, kw_only=True):
    """`c2llm/context`: what an assistant should read, as Markdown: for a question, about the lines of a range or what is at
    a position of a document, or about both together. `limit` is how many places are packed at most, 12 without it.
    """

    query: str | None = None
    text_document: TextDocument | None = None
    position: Position | None = None
    range: Range | None = None
    budget: Annotated[int, Meta(ge=1, le=1_000_000, description="Tokens, as the answer counts them")] = 4_000


class ExplainParams(Wire, frozen=True, kw_only=True):
    """`c2llm/explain`: where the model looks in the code at a position, and with a query what of the code answers it."""

    text_document: TextDocument
    position: Position
    query: str | None = None
    wait_for_edits: WaitForEdits = False


class StatusParams(Wire, frozen=True, kw_only=True):
    """`c2llm/status`: how the index stands."""

    folder: str | None = None


class Freshness(Wire, frozen=True, kw_only=True):
    """How current an answer is. Pending is known work that is not done; stale: disk and index may differ."""

    files: Annotated[int, Meta(ge=0, description="Files in the index")]
    chunks: Annotated[int, Meta(ge=0, description="Chunks in the index")]
    pending_files: Annotated[int, Meta(ge=0, description="Files and open buffers known to differ from the index")]
    pending_chunks: Annotated[int, Meta(ge=0, description="Chunks found by words, not yet by meaning")]
    stale: bool


class Signal(Wire, frozen=True, kw_only=True):
    """One part of a score: its raw value and what it did to the score."""

    name: str
    value: float
    effect: float


class Hit(Wire, frozen=True, kw_only=True):
    """One ranked place."""

    uri: str
    folder: Annotated[str, Meta(description="URI of the workspace folder")]
    path: Annotated[str, Meta(description="Relative to the folder, with / between parts")]
    range: Range
    selection_range: Annotated[
        Range, Meta(description="From the name of the best piece to its end: where to put the cursor")
    ]
    label: Annotated[str, Meta(description="What to call it in a list; empty where it has no name")]
    language: str
    kind: Kind
    symbol: str
    scope: str
    score: Annotated[float, Meta(description="Higher is better; comparable within one answer")]
    text: str
    salient_lines: Annotated[list[Line], Meta(description="Lines worth showing first, ascending")]
    signals: list[Signal]


class Answer(Wire, frozen=True, kw_only=True):
    """The answer of `c2llm/search` and `c2llm/similar`, best first."""

    hits: list[Hit]
    freshness: Freshness
    encoder: Annotated[str, Meta(description="Whose vectors were used; empty where words alone were searched")]
    seconds: float
    notes: Annotated[list[str], Meta(description="Plain sentences on this answer")]


class Piece(Wire, frozen=True, kw_only=True):
    """One cited part of a context."""

    uri: str
    folder: str
    path: Annotated[str, Meta(description="Relative to the folder, with / between parts")]
    range: Range
    kind: Literal["code", "outline"]


class ContextAnswer(Wire, frozen=True, kw_only=True):
    """The answer of `c2llm/context`."""

    text: Annotated[str, Meta(description="Markdown that cites path:line")]
    pieces: list[Piece]
    tokens: Count
    budget: Count
    left_out: Annotated[int, Meta(ge=0, description="Places found that had no room")]
    encoder: Annotated[str, Meta(description="Whose vectors were used; empty where words alone were searched")]
    freshness: Freshness
    notes: list[str]


class Look(Wire, frozen=True, kw_only=True):
    """A token of the code."""

    range: Range
    weight: Share


class HeaderLook(Wire, frozen=True, kw_only=True):
    """A token of what the encoder reads before the code: its path and name."""

    text: str
    weight: Share


class LineLook(Wire, frozen=True, kw_only=True):
    """A line that is not blank."""

    line: Line
    attention: Share
    effect: (
        Annotated[float, Meta(description="What the similarity to the query loses without this line; negative: gains")]
        | None
    ) = None


class WordMatch(Wire, frozen=True, kw_only=True):
    """A word of the query, and where the code has it in any of its forms."""

    word: str
    rarity: Annotated[float, Meta(description="Its inverse document frequency in the folder")]
    in_name: bool
    in_path: bool
    lines: list[Line]


class ExplainAnswer(Wire, frozen=True, kw_only=True):
    """The answer of `c2llm/explain`: the chunk at the position (or the first behind it), taken apart.

    Entropies are in bits. Without a query, or an encoder that says where it looks, what depends on it is null or empty.
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
    looks: list[Look]
    header: list[HeaderLook]
    lines: list[LineLook]
    entropy: Annotated[float, Meta(ge=0, description="Of the attention over all tokens")]
    uniform: Annotated[float, Meta(ge=0, description="The entropy if every token had the same attention")]
    unread_from: Annotated[int, Meta(ge=0, description="The first line that the encoder does not read")] | None
    query: str
    similarity: Annotated[float, Meta(description="Cosine of query and code")] | None
    header_effect: Annotated[float, Meta(description="What the similarity loses without path and name")] | None
    words: Annotated[list[WordMatch], Meta(description="Rarest first: they decide")]
    freshness: Freshness
    notes: list[str]


class Work(Wire, frozen=True, kw_only=True):
    """How far a run of indexing is."""

    stage: Annotated[str, Meta(description='"scan", "words" (counts files) or "vectors" (counts chunks)')]
    done: Count
    total: Count
    percentage: Annotated[int, Meta(ge=0, le=100)]


class FolderState(Wire, frozen=True, kw_only=True):
    """One workspace folder in `c2llm/statusChanged` and `c2llm/status`."""

    folder: str
    name: str
    state: State
    work: Work | None = None
    message: Annotated[str, Meta(description="One plain sentence where something is wrong")] = ""
    pending_edits: Count = 0


class FolderStatus(FolderState, frozen=True, kw_only=True):
    """A folder with what is in its index; null where the index is not open."""

    freshness: Freshness | None = None
    languages: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    index: str = ""
    index_bytes: Count = 0
    writer_pid: Count = 0
    notes: list[str] = field(default_factory=list)


class ReindexParams(Wire, frozen=True, kw_only=True):
    """The command `c2llm.server.reindex`: look at everything anew, and go on where indexing was cancelled or failed."""

    folder: Annotated[str, Meta(description="URI of the one folder; without it all")] | None = None


class SavedContext(ContextAnswer, frozen=True, kw_only=True):
    """The result of the command `c2llm.server.context`: the answer, and the Markdown file that it was put into."""

    file: Annotated[str, Meta(description="URI of the file, which goes after a day; empty where nothing was found")]


class StatusAnswer(Wire, frozen=True, kw_only=True):
    """The answer of `c2llm/status`."""

    version: str
    protocol: int
    encoder: str
    embedded_edits: Annotated[int, Meta(ge=0, description="Chunks of open buffers embedded since the start")]
    folders: list[FolderStatus]


class StatusChanged(Wire, frozen=True, kw_only=True):
    """`c2llm/statusChanged`: sent, at most four times a second, when a folder's state or progress changes."""

    folders: list[FolderState]


def wire_range(span: lsp.Range) -> Range:
    start, end = span.start, span.end
    return Range(
        start=Position(line=start.line, character=start.character), end=Position(line=end.line, character=end.character)
    )


def lsp_range(span: Range) -> lsp.Range:
    start, end = span.start, span.end
    return lsp.Range(lsp.Position(start.line, start.character), lsp.Position(end.line, end.character))
