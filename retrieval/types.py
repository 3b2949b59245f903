"""The nouns that cross the boundaries between the engine's packages.

Everything here is frozen and slotted: values are handed on, never changed in place. Lines are 1-based and inclusive,
bytes are 0-based and half-open over the UTF-8 text, paths are relative to the workspace root with `/` between parts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

ContentType = Literal["code", "docs", "config"]
CONTENT_TYPES: tuple[ContentType, ...] = ("code", "docs", "config")
ChunkKind = Literal["function", "method", "class", "block", "section", "cell", "window"]
LAST_LINE = 2**31 - 1  # beyond the last line of any file
CHUNK_KINDS: tuple[ChunkKind, ...] = ("function", "method", "class", "block", "section", "cell", "window")


@dataclass(frozen=True, slots=True)
class Symbol:
    """A definition in a chunk, with the comments above it. Of one that is split over chunks, the lines in this chunk."""

    name: str
    kind: ChunkKind
    scope: str
    start_line: int
    end_line: int

    @property
    def qualified(self) -> str:
        """Scope and name joined: "Group.add_command"."""
        return ".".join(part for part in (self.scope, self.name) if part)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A span of one file that is embedded, searched and shown as a unit."""

    path: str
    language: str  # "python", "typescript", ...; "text" where no grammar applies
    kind: ChunkKind
    symbol: str  # the name it defines ("add_command"), "" where it defines none
    scope: str  # the names around it, outermost first, joined by "." ("Group"), "" at top level
    start_line: int
    end_line: int
    start_byte: int
    end_byte: int
    text: str
    symbols: tuple[Symbol, ...] = ()  # all definitions in it, in line order; that of `symbol` is one of them

    @property
    def qualified(self) -> str:
        """Scope and symbol joined: "Group.add_command"."""
        return ".".join(part for part in (self.scope, self.symbol) if part)


# What is named by its place in a document and not by a definition.
_NO_DEFINITIONS = frozenset({"section", "cell", "window"})


def own_symbols(chunk: Chunk) -> tuple[Symbol, ...]:
    """The symbols of a chunk that is one definition from its first line to its last, as most are."""
    return whole_symbol(chunk.symbol, chunk.kind, chunk.scope, chunk.start_line, chunk.end_line)


def whole_symbol(name: str, kind: ChunkKind, scope: str, start_line: int, end_line: int) -> tuple[Symbol, ...]:
    """The same from what is needed of the chunk."""
    return (Symbol(name, kind, scope, start_line, end_line),) if name and kind not in _NO_DEFINITIONS else ()


Within = Literal["folder", "package", "open", "changed", "no-tests"]
WITHIN: tuple[Within, ...] = ("folder", "package", "open", "changed", "no-tests")


@dataclass(frozen=True, slots=True)
class SearchScope:
    """Which part of a workspace is searched; each of `within` narrows it further. retrieval/engine/scopes.py says what each is."""

    within: tuple[str, ...] = ()
    folder: str | None = (
        ""  # where one is: what "folder" and "package" are about; None for a place outside of the workspace
    )
    open_files: tuple[str, ...] = ()  # what "open" is about


@dataclass(frozen=True, slots=True)
class Filters:
    """What a query is limited to; an empty field limits nothing."""

    languages: tuple[str, ...] = ()  # of chunks
    paths: tuple[str, ...] = ()  # gitignore-style globs over the relative path; one that begins with "!" excludes
    kinds: tuple[str, ...] = ()  # of CHUNK_KINDS
    content: tuple[str, ...] = ()  # of CONTENT_TYPES; normalizing turns them into languages
    grep: str = ""  # a regular expression (retrieval/text_pattern.py) that a chunk's text has to match
    scope: SearchScope = SearchScope()
    # What the scope comes to:
    files: tuple[str, ...] | None = None  # only these
    folder: str = ""  # only what is below it
    tests: bool = True  # whether tests pass
    # What normalizing adds, for files with several languages:
    whole_files: tuple[
        str, ...
    ] = ()  # languages of files whose chunks pass in any language, as the script of a Vue file
    no_files: tuple[str, ...] = ()  # languages of files whose chunks do not pass, as code in Markdown that is no code

    def __bool__(self) -> bool:
        return bool(self.languages or self.kinds or self.content or self.grep or self.scope.within) or self.limits_paths

    @property
    def limits_paths(self) -> bool:
        return bool(self.paths or self.folder) or self.files is not None or not self.tests

    def passes_language(self, language: str, file_language: str) -> bool:
        """Whether a chunk of this language passes, in a file of that language."""
        if file_language in self.no_files:
            return False
        accepted = {name.lower() for name in self.languages}
        return not accepted or language in accepted or file_language in self.whole_files

    def passes_kind(self, kinds: Iterable[str]) -> bool:
        """Whether a chunk passes that is of these kinds, its own and those of all definitions in it."""
        return not self.kinds or not {kind.lower() for kind in self.kinds}.isdisjoint(kinds)


NO_FILTERS = Filters()


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A query in words, or a name. `ranking` is one of those in retrieval/search/weights.py."""

    query: str
    filters: Filters = NO_FILTERS
    limit: int = 10  # results at most
    ranking: str = "full"
    highlight: bool = False  # choose salient lines by meaning as well: some milliseconds, for answers that people read


@dataclass(frozen=True, slots=True)
class Location:
    """Lines of a file of the workspace, counted from 1, both included."""

    path: str
    first_line: int
    last_line: int


@dataclass(frozen=True, slots=True)
class SimilarRequest:
    """Code to find similar code for: what stands at a line of a file, or a piece of code. A piece may be that of some
    lines of a file, which are then left out of the answer.
    """

    path: str = ""
    first_line: int = 0
    last_line: int = 0
    text: str = ""
    filters: Filters = NO_FILTERS
    limit: int = 10


@dataclass(frozen=True, slots=True)
class Signal:
    """One part of a hit's score: what it was, the raw value, and what it did to the score."""

    name: str
    value: float
    effect: float


@dataclass(frozen=True, slots=True)
class Hit:
    """One ranked answer."""

    chunk: Chunk
    start_line: int  # of the hit: neighbouring chunks are merged, so it can be wider than its chunk
    end_line: int
    text: str  # the lines of the hit
    score: float
    signals: tuple[Signal, ...] = ()
    salient_lines: tuple[int, ...] = ()  # line numbers worth showing first, ascending
    terms: tuple[str, ...] = ()  # stems of the query; retrieval.search.matches finds them in a line
    copies: tuple[Location, ...] = ()  # where the same text, or nearly the same, stands as well


@dataclass(frozen=True, slots=True)
class Freshness:
    """How current an answer is. `pending` is known work that is not done, `stale` says that disk and index may differ."""

    files: int
    chunks: int
    pending_files: int = 0
    pending_chunks: int = 0  # without vectors yet: keyword search only
    stale: bool = False


# A note of answers; with several workspaces it holds where it holds for all of them.
NOTHING_CERTAIN = "Nothing certain was found: no result shares much with the query, in words or in meaning."


@dataclass(frozen=True, slots=True)
class Answer:
    hits: tuple[Hit, ...]
    freshness: Freshness
    encoder: str  # name of the encoder whose vectors were used, "" where the answer is lexical only
    seconds: float
    notes: tuple[str, ...] = ()  # one plain sentence each: what the reader should know about this answer


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A chunk, and one elsewhere that is almost the same."""

    chunk: Chunk
    other: Chunk
    similarity: float  # of the two texts, 0 to 1


@dataclass(frozen=True, slots=True)
class Skip:
    """A file that was left out, and why ("binary", "too large", "unreadable: ...", "secret", ...)."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What one indexing run did. Counts are files or chunks, times are seconds."""

    files_seen: int = 0
    files_changed: int = 0
    files_removed: int = 0
    chunks_added: int = 0
    chunks_removed: int = 0
    chunks_embedded: int = 0  # sent through the encoder
    chunks_reused: int = 0  # vectors found in the shared store
    chunks_fetched: int = 0  # vectors that the team's database had
    skipped: tuple[Skip, ...] = ()
    cancelled: bool = False
    busy: bool = False  # another process is writing this index: nothing was done here
    unreachable: bool = False  # the encoder runs elsewhere and could not be had: what is pending waits for it
    large: bool = False  # there is more to do than was allowed: nothing was done
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default=())
    ignored_folders: tuple[str, ...] = ()  # by patterns of the user, up to a thousand


@dataclass(frozen=True, slots=True)
class TokenAttention:
    """A token of the code and its share of the pooling attention. Characters are code points of the line, 0-based."""

    start: int  # characters of the chunk's text, half-open
    end: int
    line: int  # the same in the file
    character: int
    end_line: int
    end_character: int
    weight: float


@dataclass(frozen=True, slots=True)
class HeaderAttention:
    """A token of what the encoder reads before the code (path and name), and its share of the attention."""

    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class LineAttention:
    """A line that is not blank. `effect` is what the similarity loses without it (negative: it gains); None where no
    query was given or the encoder does not read so far."""

    line: int
    attention: float
    effect: float | None = None


@dataclass(frozen=True, slots=True)
class WordMatch:
    """A word of the query, and where the chunk has it in any of its forms."""

    word: str
    rarity: float  # inverse document frequency
    in_name: bool  # in the symbol or the names around it
    in_path: bool
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where the model looks in a chunk and, with a query, what of it answers."""

    chunk: Chunk
    encoder: str
    tokens: tuple[TokenAttention, ...]  # empty where the encoder does not expose attention
    header: tuple[HeaderAttention, ...]
    lines: tuple[LineAttention, ...]
    entropy: float  # of the attention over all tokens, in bits
    uniform: float  # the entropy if it were the same everywhere
    unread_from: int  # the first line that the encoder does not read any more, 0 where it reads all
    query: str = ""
    similarity: float | None = None  # cosine of query and passage
    header_effect: float | None = None  # what the similarity loses without path and name
    words: tuple[WordMatch, ...] = ()
    freshness: Freshness = Freshness(0, 0)
    notes: tuple[str, ...] = ()
