"""Chunks as llama-index nodes, and back: which lines a node is, in its metadata."""

from __future__ import annotations

from typing import Any

from llama_index.core.schema import BaseNode

from retrieval.types import Chunk, Hit


def place_metadata(chunk: Chunk, start_line: int, end_line: int) -> dict[str, Any]:
    """What every node of ours says of itself. Lines are 1-based and inclusive."""
    return {
        "path": chunk.path,
        "start_line": start_line,
        "end_line": end_line,
        "language": chunk.language,
        "kind": chunk.kind,
        "symbol": chunk.symbol,
        "scope": chunk.scope,
    }


def hit_of(node: BaseNode, text: str, score: float) -> Hit | None:
    """A node as a hit; None where its metadata does not say which lines it is, or says it wrongly."""
    metadata = node.metadata
    path, start, end = (metadata.get(name) for name in ("path", "start_line", "end_line"))
    if not (isinstance(path, str) and path and isinstance(start, int) and isinstance(end, int) and 1 <= start <= end):
        return None
    language, kind, symbol, scope = (str(metadata.get(name) or "") for name in ("language", "kind", "symbol", "scope"))
    size = len(text.encode("utf-8", "surrogatepass"))
    chunk = Chunk(path, language, kind or "block", symbol, scope, start, end, 0, size, text)  # type: ignore[arg-type]
    salient = tuple(line for line in metadata.get("salient_lines") or () if isinstance(line, int))
    return Hit(chunk, start, end, text, score, salient_lines=salient)
