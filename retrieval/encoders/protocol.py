"""What an encoder is to the rest of the engine, and what some of them can do besides.

Each capability is a protocol of its own. Callers ask with `isinstance`, or with the functions below, which know what holds for
an encoder that does not have it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


@runtime_checkable
class Encoder(Protocol):
    """Text to L2-normalised float32 vectors of shape (n, dimension). Instructions are the encoder's own business.

    `fingerprint` changes whenever the vectors would: it is part of every stored vector's key.
    Raises EncoderError where the model fails; an empty list gives shape (0, dimension).
    """

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    def encode_queries(self, texts: Sequence[str]) -> Vectors: ...

    def encode_passages(self, texts: Sequence[str]) -> Vectors: ...


@runtime_checkable
class LowLatencyEncoder(Protocol):
    """An encoder that may be so fast that single lines of code are embedded while somebody waits."""

    @property
    def low_latency(self) -> bool: ...


@runtime_checkable
class InstructedEncoder(Protocol):
    """An encoder that can read queries under another instruction than its own."""

    def encode_queries_as(self, texts: Sequence[str], instruction: str) -> Vectors: ...


@runtime_checkable
class StoppableEncoder(Protocol):
    """An encoder that may have to wait for long."""

    def encode_passages_until(self, texts: Sequence[str], stop: Callable[[], bool]) -> Vectors:
        """As `encode_passages`; raises CancelledError soon after `stop` gives true."""
        ...


@runtime_checkable
class RemoteEncoder(Protocol):
    """An encoder that runs elsewhere."""

    @property
    def available(self) -> bool:
        """Whether a request is likely to be answered. Does not block."""
        ...

    @property
    def outdated(self) -> bool:
        """Whether another model is served there now: the encoder has to be loaded again."""
        ...


@runtime_checkable
class AttendingEncoder(Protocol):
    """An encoder that also exposes its pooling attention."""

    def attention(self, texts: Sequence[str]) -> list[list[tuple[int, int, float]]]:
        """For each text the pooling weight of each token: (start, end) in characters of the text, weight; weights sum to 1."""
        ...


@runtime_checkable
class PlacedEncoder(Protocol):
    """An encoder that knows which processor it runs on."""

    @property
    def runs_on(self) -> str: ...


def is_low_latency(encoder: Encoder) -> bool:
    return isinstance(encoder, LowLatencyEncoder) and encoder.low_latency


def is_available(encoder: Encoder) -> bool:
    return not isinstance(encoder, RemoteEncoder) or encoder.available


def is_outdated(encoder: Encoder) -> bool:
    return isinstance(encoder, RemoteEncoder) and encoder.outdated


def processor_of(encoder: Encoder) -> str:
    """The processor that it runs on, "" where it does not say."""
    return encoder.runs_on if isinstance(encoder, PlacedEncoder) else ""
