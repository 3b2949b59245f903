"""What an encoder is to the rest of the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """Text to L2-normalised float32 vectors of shape (n, dimension). Instructions are the encoder's own business.

    `fingerprint` changes whenever the vectors would: it is part of every stored vector's key.
    Raises EncoderError where the model fails; an empty list gives shape (0, dimension). One that is so fast that single
    lines of code can be embedded at will says so with a true `instant`.
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
class StoppableEncoder(Encoder, Protocol):
    """An encoder that may have to wait for long. Where it runs elsewhere, it also says with `available` whether it is
    worth asking, and with `outdated` that what runs there is another one now: then it has to be loaded again.
    """

    def encode_passages_until(self, texts: Sequence[str], stop: Callable[[], bool]) -> Vectors:
        """As `encode_passages`; raises Cancelled soon after `stop` gives true."""
        ...


class AttendingEncoder(Encoder, Protocol):
    """An encoder that can also say where it looks."""

    def attention(self, texts: Sequence[str]) -> list[list[tuple[int, int, float]]]:
        """For each text the pooling weight of each token: (start, end) in characters of the text, weight; weights sum to 1."""
        ...
