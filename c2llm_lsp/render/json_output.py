"""Answers as JSON, with the schema that describes them.

`schema_version` rises when a field changes its meaning or is removed; new fields do not raise it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from retrieval.types import CHUNK_KINDS, Answer, Explanation, Freshness, Hit, Location

if TYPE_CHECKING:
    from retrieval.rag import PackedContext

SCHEMA_VERSION = 1


def answer_dict(answer: Answer, *, query: str, root: str) -> dict[str, Any]:
    """The object that `--json` prints for an answer."""
    return {
        "schema_version": SCHEMA_VERSION,
        "query": query,
        "root": root,
        "encoder": answer.encoder,
        "seconds": round(answer.seconds, 6),
        "freshness": freshness_dict(answer.freshness),
        "notes": list(answer.notes),
        "results": [hit_dict(hit) for hit in answer.hits],
    }


def hit_dict(hit: Hit) -> dict[str, Any]:
    """One result; paths are relative to `root` with `/` between parts, lines are 1-based and inclusive."""
    return {
        "path": hit.chunk.path,
        "start_line": hit.start_line,
        "end_line": hit.end_line,
        "language": hit.chunk.language,
        "kind": hit.chunk.kind,
        "symbol": hit.chunk.symbol,
        "scope": hit.chunk.scope,
        "score": round(hit.score, 6),
        "salient_lines": list(hit.salient_lines),
        "symbols": [asdict(symbol) for symbol in hit.chunk.symbols],
        "signals": [
            {"name": s.name, "value": round(float(s.value), 6), "effect": round(float(s.effect), 6)}
            for s in hit.signals
        ],
        "copies": [copy_dict(copy) for copy in hit.copies],
        "text": hit.text,
    }


def copy_dict(copy: Location) -> dict[str, Any]:
    """Another place of a result's text."""
    return {"path": copy.path, "start_line": copy.first_line, "end_line": copy.last_line}


def locations_dict(answer: Answer, *, root: str, notes: Sequence[str] = ()) -> dict[str, Any]:
    """The locations of an answer without their code. `notes` follow the answer's."""
    fields = ("path", "start_line", "end_line", "language", "kind", "symbol", "scope", "score", "copies")
    return {
        "root": root,
        "encoder": answer.encoder,
        "freshness": freshness_dict(answer.freshness),
        "notes": [*answer.notes, *notes],
        "results": [{name: value for name, value in hit_dict(hit).items() if name in fields} for hit in answer.hits],
    }


def context_locations_dict(packed: PackedContext, *, root: str, notes: Sequence[str] = ()) -> dict[str, Any]:
    """The same for a context: its spans without their text."""
    full = context_dict(packed, root=root)
    spans = [{name: value for name, value in span.items() if name != "text"} for span in full["pieces"]]
    header = {name: full[name] for name in ("root", "encoder", "freshness", "budget", "tokens", "left_out")}
    return {**header, "notes": [*packed.notes, *notes], "pieces": spans}


def freshness_dict(freshness: Freshness) -> dict[str, Any]:
    return {
        "files": freshness.files,
        "chunks": freshness.chunks,
        "pending_files": freshness.pending_files,
        "pending_chunks": freshness.pending_chunks,
        "stale": freshness.stale,
    }


def context_dict(packed: PackedContext, *, root: str) -> dict[str, Any]:
    """The object that `c2llm context --json` prints."""
    context = packed.context
    return {
        "schema_version": SCHEMA_VERSION,
        "root": root,
        "encoder": packed.encoder,
        "seconds": round(packed.seconds, 6),
        "freshness": freshness_dict(packed.freshness),
        "notes": list(packed.notes),
        "budget": context.budget,
        "tokens": context.tokens,
        "left_out": context.left_out,
        "pieces": [
            {
                "path": span.path,
                "start_line": span.start_line,
                "end_line": span.end_line,
                "kind": span.kind,
                "language": span.language,
                "symbol": span.symbol,
                "copies": [copy_dict(copy) for copy in span.copies],
                "text": span.text,
            }
            for span in context.spans
        ],
        "text": context.text,
    }


def explanation_dict(explanation: Explanation, *, root: str) -> dict[str, Any]:
    """The object that `c2llm explain --json` prints. Characters are code points of a line, counted from 0."""
    chunk = explanation.chunk
    return {
        "schema_version": SCHEMA_VERSION,
        "root": root,
        "path": chunk.path,
        "start_line": chunk.start_line,
        "end_line": chunk.end_line,
        "language": chunk.language,
        "kind": chunk.kind,
        "symbol": chunk.symbol,
        "scope": chunk.scope,
        "encoder": explanation.encoder,
        "query": explanation.query,
        "similarity": _rounded(explanation.similarity),
        "header_effect": _rounded(explanation.header_effect),
        "entropy": _rounded(explanation.entropy),
        "uniform": _rounded(explanation.uniform),
        "unread_from": explanation.unread_from,
        "header": [{"text": look.text, "weight": _rounded(look.weight)} for look in explanation.header],
        "lines": [
            {"line": line.line, "attention": _rounded(line.attention), "effect": _rounded(line.effect)}
            for line in explanation.lines
        ],
        "looks": [
            {
                "line": look.line,
                "character": look.character,
                "end_line": look.end_line,
                "end_character": look.end_character,
                "weight": _rounded(look.weight),
            }
            for look in explanation.tokens
        ],
        "words": [
            {
                "word": match.word,
                "rarity": _rounded(match.rarity),
                "in_name": match.in_name,
                "in_path": match.in_path,
                "lines": list(match.lines),
            }
            for match in explanation.words
        ],
        "text": chunk.text,
        "freshness": freshness_dict(explanation.freshness),
        "notes": list(explanation.notes),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 6)


def _object(description: str, **properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: dict[str, Any], description: str) -> dict[str, Any]:
    return {"type": "array", "items": items, "description": description}


def _of(kind: str, description: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "description": description, **more}


_SIGNAL = _object(
    "One part of a score",
    name=_of("string", "What it is"),
    value=_of("number", "The raw value"),
    effect=_of("number", "What it did to the score"),
)

_SYMBOL = _object(
    "A definition in the best chunk of a result",
    name=_of("string", "Its name"),
    kind=_of("string", "What it is", enum=list(CHUNK_KINDS)),
    scope=_of("string", "The names around it, outermost first, joined by '.', or empty"),
    start_line=_of("integer", "First line, with the comments above it, 1-based", minimum=1),
    end_line=_of("integer", "Last line in this chunk, inclusive", minimum=1),
)

_COPY = _object(
    "A place in another file, or elsewhere in this one",
    path=_of("string", "Relative to root, with / between parts"),
    start_line=_of("integer", "First line, 1-based", minimum=1),
    end_line=_of("integer", "Last line, inclusive", minimum=1),
)

_RESULT = _object(
    "One ranked result",
    path=_of("string", "Relative to root, with / between parts"),
    start_line=_of("integer", "First line, 1-based", minimum=1),
    end_line=_of("integer", "Last line, inclusive", minimum=1),
    language=_of("string", "'python', 'go', ...; 'text' where no grammar applies"),
    kind=_of("string", "What the definition is that was found, else the chunk", enum=list(CHUNK_KINDS)),
    symbol=_of("string", "The name of the definition that was found, or empty"),
    scope=_of("string", "The names around it, outermost first, joined by '.', or empty"),
    score=_of("number", "Higher is better; comparable within one answer only"),
    salient_lines=_list(_of("integer", "Line number", minimum=1), "Lines worth showing first, ascending"),
    symbols=_list(_SYMBOL, "All definitions in the best chunk, in line order"),
    signals=_list(_SIGNAL, "How the score came about"),
    copies=_list(_COPY, "Where the same text, or nearly the same, stands as well"),
    text=_of("string", "The lines of the result"),
)

_FRESHNESS = _object(
    "How current the answer is",
    files=_of("integer", "Files in the index", minimum=0),
    chunks=_of("integer", "Chunks in the index", minimum=0),
    pending_files=_of("integer", "Files known to be out of date or not indexed yet", minimum=0),
    pending_chunks=_of("integer", "Chunks without vectors yet: keyword search only", minimum=0),
    stale=_of("boolean", "Whether disk and index may differ"),
)

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "c2llm search --json",
    **_object(
        "The answer to one query",
        schema_version=_of("integer", "The version of this schema", enum=[SCHEMA_VERSION]),
        query=_of("string", "The query as given"),
        root=_of("string", "Absolute path of the workspace"),
        encoder=_of("string", "The encoder whose vectors were used; empty for keyword search only"),
        seconds=_of("number", "Time the engine took", minimum=0),
        freshness=_FRESHNESS,
        notes=_list(_of("string", "One plain sentence"), "What the reader should know about this answer"),
        results=_list(_RESULT, "Best first"),
    ),
}
