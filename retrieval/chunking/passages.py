"""Builds the passage that the encoder reads from a chunk."""

from __future__ import annotations

from retrieval.types import Chunk


def passage(chunk: Chunk) -> str:
    """The text for the encoder: path, qualified name, code."""
    qualified = chunk.qualified
    return f"{chunk.path}\n{qualified}\n{chunk.text}" if qualified else f"{chunk.path}\n{chunk.text}"
