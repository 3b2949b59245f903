"""Encoders turn text into vectors. `load(name)` returns one; heavy imports happen there, not here."""

from __future__ import annotations

from pathlib import Path

from retrieval.encoders.protocol import (
    AttendingEncoder,
    Encoder,
    StoppableEncoder,
    Vectors,
    is_available,
    is_low_latency,
    is_outdated,
    processor_of,
)
from retrieval.encoders.token_overlap import OverlapEncoder
from retrieval.errors import ModelError
from retrieval.model.checkpoint_names import is_hub_name

__all__ = [
    "AttendingEncoder",
    "Encoder",
    "OverlapEncoder",
    "StoppableEncoder",
    "Vectors",
    "available",
    "is_address",
    "is_available",
    "is_low_latency",
    "is_outdated",
    "load",
    "load_earlier",
    "processor_of",
]

_NAMES = ("embedded", "minilm", "overlap")


def available() -> tuple[str, ...]:
    """The names that `load` knows; the folder of a model, a checkpoint on the hub and the address of a server work as well."""
    return _NAMES


def load(
    name: str = "embedded",
    *,
    threads: int | None = None,
    device: str = "auto",
    dtype: str = "auto",
    patience: float | None = None,
    cache: Path | None = None,
) -> Encoder:
    """The encoder of that name, the model in that folder, the checkpoint that was downloaded from the hub under that name
    ("codefuse-ai/C2LLM-0.5B", "…@revision"), or the embeddings server at that address.

    `device` (cpu, cuda, cuda:1, mps) and `dtype` (bf16, fp16, fp32) are for checkpoints. A server is waited for at most
    `patience` seconds, and what is known of it is kept in the folder `cache`, if given.
    Raises ModelError with a remedy, MissingExtraError; EncoderUnreachableError for an unavailable server.
    """
    if is_address(name):
        from retrieval.encoders.remote import connect

        return connect(name, patience=patience, folder=cache)
    if name == "overlap":
        return OverlapEncoder()
    if name == "minilm":
        from retrieval.encoders.minilm import MiniLmEncoder

        return MiniLmEncoder(threads=threads)
    if name == "embedded":
        from retrieval.encoders.onnx import OnnxEncoder, embedded_folder

        return OnnxEncoder(embedded_folder(), name="embedded", threads=threads)
    if is_hub_name(name) or Path(name).expanduser().is_dir():
        from retrieval.encoders.model_folder import load_folder, resolve_folder

        return load_folder(
            resolve_folder(name), name=name if is_hub_name(name) else "", threads=threads, device=device, dtype=dtype
        )
    names = ", ".join(_NAMES)
    raise ModelError(
        f"There is no encoder '{name}': use one of {names}, the folder of a model, a checkpoint on the hub "
        "(codefuse-ai/C2LLM-0.5B), or the address of an embeddings server."
    )


def load_earlier(name: str, *, threads: int | None = None) -> Encoder | None:
    """The encoder that had this name in earlier versions, where it can still be loaded: its vectors answer until the new ones are
    complete. The embedded model was one graph for queries and passages, which reads queries now. Raises ModelError.
    """
    if name != "embedded":
        return None
    from retrieval.encoders.onnx import OnnxEncoder, embedded_folder

    return OnnxEncoder(embedded_folder(), name="embedded (earlier)", threads=threads, asymmetric=False)


def is_address(name: str) -> bool:
    """Whether a name is the address of an embeddings server. It then never is a folder."""
    return name.lower().startswith(("http://", "https://"))
