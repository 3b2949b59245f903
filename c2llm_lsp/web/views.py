"""What the page asks for, each a function from parameters to JSON: search, file, explain, map, duplicates, status.

Texts are escaped of control characters here, as they are for a terminal; the page writes them as text, never as markup.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from c2llm_lsp.query_text import parse
from c2llm_lsp.render.escape import escape_line
from c2llm_lsp.render.freshness import answer_notes
from c2llm_lsp.render.heat import heat_rows, summary
from c2llm_lsp.render.snippet import anchor_line, answer_line, hit_lines
from retrieval.engine import Workspace
from retrieval.engine.map import RepositoryMap, map_workspace
from retrieval.errors import CancelledError, QueryError
from retrieval.search.matches import matches
from retrieval.types import NOTHING_CERTAIN, Chunk, Duplicate, Hit, SearchRequest

View = Callable[[Mapping[str, Any]], "dict[str, Any]"]

MAX_LIMIT = 100
MAX_QUERY = 10_000  # characters
MAX_DUPLICATE_FILES = 2_000  # that are compared
LEFT_OUT = "Of {:,} files the first {:,} were compared."


class Views:
    """Of one workspace. Any thread."""

    def __init__(self, workspace: Workspace, limit: int) -> None:
        self._workspace, self._limit = workspace, limit
        self._lock = threading.Lock()  # one map, one comparison at a time
        self._map: tuple[int, RepositoryMap] | None = None
        self._duplicates: tuple[int, dict[str, Any]] | None = None
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End what takes long."""
        self._stopping.set()

    def table(self) -> dict[str, View]:
        """The views by the names by which the page asks for them."""
        return {
            "search": self.search,
            "file": self.file,
            "explain": self.explain,
            "map": self.map,
            "duplicates": self.duplicates,
            "status": self.status,
        }

    def search(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The best results for what is typed, filters among the words included."""
        typed = parse(_text(params, "query"))
        if not typed.query:
            return {"results": [], "certain": True, "notes": []}
        limit = min(_number(params, "limit", self._limit), MAX_LIMIT)
        answer = self._workspace.search(SearchRequest(typed.query, typed.filters, limit, highlight=True))
        answer = replace(
            answer, freshness=replace(answer.freshness, stale=False)
        )  # the server is at it, and the page says so
        return {
            "results": [_result(hit) for hit in answer.hits],
            "certain": NOTHING_CERTAIN not in answer.notes,
            "notes": [escape_line(note) for note in answer_notes(answer)],
        }

    def file(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The parts of a file as it is indexed, in their order."""
        path = _text(params, "path")
        chunks = self._chunks(path)
        if not chunks:
            raise QueryError(f"Nothing is indexed at {path}.")
        return {"path": path, "parts": [_part(chunk) for chunk in chunks]}

    def explain(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Where the model looks in the part of a file that has a line, and what each line does for a query."""
        query = parse(_text(params, "query")).query
        explanation = self._workspace.explain(_text(params, "path"), _number(params, "line", 1), query)
        rows = heat_rows(explanation)
        return {
            "start": explanation.chunk.start_line,
            "has_attention": bool(explanation.tokens),
            "has_effect": explanation.similarity is not None,
            "rows": [
                {
                    "line": row.line,
                    "attention": round(row.attention, 4),
                    "bar": round(row.bar, 3),
                    "effect": None if row.effect is None or row.negligible else round(row.effect, 3),
                    "spans": [[escape_line(span.text), span.heat] for span in row.spans],
                }
                for row in rows
            ],
            "summary": [escape_line(sentence) for sentence in summary(explanation)],
        }

    def map(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """The files as points, and their clusters; made again when the index has changed."""
        with self._lock:
            revision = self._workspace.store.revision
            if self._map is None or self._map[0] != revision:
                self._map = revision, map_workspace(self._workspace)
            shown = self._map[1]
        return {
            "files": [
                {**asdict(one), "x": round(one.x, 4), "y": round(one.y, 4), "label": escape_line(one.path)}
                for one in shown.files
            ],
            "clusters": [{**asdict(one), "x": round(one.x, 4), "y": round(one.y, 4)} for one in shown.clusters],
            "notes": list(shown.notes),
        }

    def duplicates(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """Code that is almost the same as code elsewhere, each pair once."""
        with self._lock:
            revision = self._workspace.store.revision
            if self._duplicates is None or self._duplicates[0] != revision:
                self._duplicates = revision, self._find_duplicates()
            return self._duplicates[1]

    def status(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """What is indexed, for the page's head and the values of its filters; the page asks for it again and again."""
        status = self._workspace.status()
        freshness = self._workspace.freshness()
        return {
            "name": escape_line(self._workspace.root.name),
            "files": freshness.files,
            "languages": list(status.languages),
            "indexing": bool(freshness.stale or freshness.pending_files or freshness.pending_chunks),
            "revision": self._workspace.store.revision,
        }

    def _chunks(self, path: str) -> list[Chunk]:
        snapshot, _ = self._workspace.snapshot()
        return sorted((chunk for _, chunk in snapshot.rows.file_chunks(path)), key=lambda chunk: chunk.start_byte)

    def _find_duplicates(self) -> dict[str, Any]:
        stored = self._workspace.store.files.stamps()
        paths = sorted(path for path, *_ in stored)
        pairs: dict[frozenset[tuple[str, int]], Duplicate] = {}
        for path in paths[:MAX_DUPLICATE_FILES]:
            for one in self._workspace.near_duplicates(path, self._check):
                ends = ((one.chunk.path, one.chunk.start_line), (one.other.path, one.other.start_line))
                pairs.setdefault(frozenset(ends), one)
        ranked = sorted(pairs.values(), key=lambda one: (-one.similarity * _lines(one.chunk), one.chunk.path))
        left_out = len(paths) > MAX_DUPLICATE_FILES
        return {
            "pairs": [
                {"similarity": round(one.similarity, 3), "one": _place(one.chunk), "other": _place(one.other)}
                for one in ranked
            ],
            "notes": [LEFT_OUT.format(len(paths), MAX_DUPLICATE_FILES)] if left_out else [],
        }

    def _check(self) -> None:
        if self._stopping.is_set():
            raise CancelledError("The server stops.")


def _result(hit: Hit) -> dict[str, Any]:
    anchor = anchor_line(hit)
    return {
        **_place(replace(hit.chunk, start_line=hit.start_line, end_line=hit.end_line)),
        "anchor": anchor,
        "answer": answer_line(hit, anchor),
        "salient": list(hit.salient_lines),
        "lines": [_marked(number, text, hit) for number, text in hit_lines(hit).items()],
        "copies": [f"{escape_line(copy.path)}:{copy.first_line}" for copy in hit.copies],
    }


def _marked(number: int, text: str, hit: Hit) -> dict[str, Any]:
    """A line, and the spans in it that match. Columns are UTF-16 units, as a page counts them."""
    line = escape_line(text)
    spans = [(_units(line[:start]), _units(line[:end])) for start, end in matches(line, hit.terms)]
    return {"number": number, "text": line, "marks": spans}


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _place(chunk: Chunk) -> dict[str, Any]:
    return {
        "path": chunk.path,
        "label": escape_line(chunk.path),
        "start": chunk.start_line,
        "end": chunk.end_line,
        "kind": chunk.kind,
        "name": escape_line(chunk.qualified),
    }


def _part(chunk: Chunk) -> dict[str, Any]:
    lines = chunk.text.split("\n")
    return {
        **_place(chunk),
        "lines": [escape_line(line.rstrip("\r")) for line in lines[: chunk.end_line - chunk.start_line + 1]],
    }


def _lines(chunk: Chunk) -> int:
    return chunk.end_line - chunk.start_line + 1


def _text(params: Mapping[str, Any], name: str) -> str:
    """A parameter that is text. Raises QueryError."""
    value = params.get(name, "")
    if not isinstance(value, str) or len(value) > MAX_QUERY:
        raise QueryError(f"{name} is no text of at most {MAX_QUERY:,} characters.")
    return value


def _number(params: Mapping[str, Any], name: str, default: int) -> int:
    """A parameter that is a number from 1. Raises QueryError."""
    value = params.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise QueryError(f"{name} is no number from 1.")
    return value
