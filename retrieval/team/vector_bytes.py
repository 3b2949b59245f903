"""Vectors as they travel: float16, little-endian, one byte string each. What comes back is checked before it is believed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

_STORED = np.dtype("<f2")
# By how much rounding to half precision changes the length of a vector at most.
_ROUNDING = 1e-3


class WrongVectorsError(ValueError):
    """What is wrong with them."""


def encode(matrix: Matrix) -> list[bytes]:
    return [row.tobytes() for row in np.ascontiguousarray(matrix, dtype=_STORED)]


def decode(data: Sequence[bytes], dimension: int) -> Matrix:
    """The vectors, in order. Raises WrongVectorsError unless each has this dimension and length 1."""
    width = dimension * _STORED.itemsize
    if wrong := next((row for row in data if len(row) != width), None):
        raise WrongVectorsError(f"a vector of {len(wrong)} bytes where {width} were expected")
    if any(len(row) != width for row in data):
        raise WrongVectorsError("an empty vector")
    matrix = np.frombuffer(b"".join(data), dtype=_STORED).reshape(len(data), dimension).astype(np.float32)
    if not unit_rows(matrix).all():
        raise WrongVectorsError("vectors that are not of length 1")
    return matrix


def unit_rows(matrix: Matrix) -> NDArray[np.bool_]:
    """Which rows are numbers, and of length 1."""
    with np.errstate(all="ignore"):
        norms = np.linalg.norm(matrix, axis=1)
        rows: NDArray[np.bool_] = np.abs(norms - 1.0) <= _ROUNDING  # NaN is not
    return rows
