"""Text to vectors. `load(name)` gives an encoder; every heavy import happens there, not here."""

from __future__ import annotations

from pathlib import Path

from retrieval.encoders.base import AttendingEncoder, Encoder, Vectors
from retrieval.encoders.overlap import OverlapEncoder
from retrieval.errors import ModelError

__all__ = ["AttendingEncoder", "Encoder", "OverlapEncoder", "Vectors", "available", "load"]

_NAMES = ("embedded", "minilm", "overlap")


def available() -> tuple[str, ...]:
    """The names that `load` knows; a folder that holds an exported model works as well."""
    return _NAMES


def load(name: str = "embedded", *, threads: int | None = None) -> Encoder:
    """The encoder of that name, or the exported model in that folder. Raises ModelError with what to type instead."""
    if name == "overlap":
        return OverlapEncoder()
    if name == "minilm":
        from retrieval.encoders.minilm import MiniLmEncoder

        return MiniLmEncoder(threads=threads)
    if name == "embedded":
        from retrieval.encoders.onnx import OnnxEncoder, embedded_folder

        return OnnxEncoder(embedded_folder(), name="embedded", threads=threads)
    if Path(name).is_dir():
        from retrieval.encoders.onnx import OnnxEncoder

        return OnnxEncoder(Path(name), threads=threads)
    known = ", ".join(_NAMES)
    raise ModelError(f"There is no encoder '{name}': use one of {known}, or the folder of an exported model.")
