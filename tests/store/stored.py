"""Small files to put into a store, and vectors."""

from __future__ import annotations

import numpy as np

from retrieval.store import FileRow, FileUpdate, NewChunk, passage_hash
from retrieval.types import Chunk


def chunk(
    path: str, number: int, text: str, symbol: str = "", language: str = "python", kind: str = "function"
) -> Chunk:
    return Chunk(
        path, language, kind, symbol, "", number * 10 + 1, number * 10 + 9, number * 100, number * 100 + 50, text
    )  # type: ignore[arg-type]


def update(path: str, *texts: str, language: str = "python") -> FileUpdate:
    """A file of these chunks; a text "name: body" defines that name."""
    chunks = []
    for number, text in enumerate(texts):
        symbol = text.partition(":")[0] if ":" in text else ""
        chunks.append(NewChunk(chunk(path, number, text, symbol, language), passage_hash(f"{path}\n{symbol}\n{text}")))
    return FileUpdate(FileRow(path, 1, 2, 3, b"digest", language), tuple(chunks))


def vectors(count: int, dimension: int = 8, seed: int = 0) -> np.ndarray:
    matrix = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
