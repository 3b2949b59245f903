"""An affine map of query vectors, kept beside a model: what `c2llm adapt` fits on a repository.

Passages are encoded as before, so that no vector of an index changes with it, nor the fingerprint.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from retrieval.encoders.protocol import Vectors
from retrieval.errors import ModelError

QUERY_MAP_NAME = "query_map.npz"
MAX_BYTES = 256 * 1024 * 1024  # a matrix of 8,192 dimensions


@dataclass(frozen=True, slots=True)
class QueryMap:
    """Maps a query vector v to v @ matrix + offset, brought to length 1."""

    matrix: NDArray[np.float32]  # (dimension, dimension)
    offset: NDArray[np.float32]  # (dimension,)

    def apply(self, vectors: Vectors) -> Vectors:
        """Vectors of shape (n, dimension); one that is mapped to zero stays as it is."""
        mapped = vectors @ self.matrix + self.offset
        lengths = np.linalg.norm(mapped, axis=1, keepdims=True)
        found: Vectors = np.where(lengths > 0, mapped / np.maximum(lengths, 1e-12), vectors).astype(np.float32)
        return found

    def save(self, folder: Path) -> None:
        np.savez(folder / QUERY_MAP_NAME, matrix=self.matrix, offset=self.offset)


def load_query_map(folder: Path, dimension: int) -> QueryMap | None:
    """The map of a model folder; None for a model without. Raises ModelError for a file that is none."""
    path = folder / QUERY_MAP_NAME
    if not path.is_file():
        return None
    try:
        with ZipFile(path) as archive:  # sizes as unpacked: a few compressed bytes may be gigabytes
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES:,} bytes")
        with np.load(path, allow_pickle=False) as file:
            found = QueryMap(file["matrix"].astype(np.float32), file["offset"].astype(np.float32))
    except Exception as error:  # a damaged archive raises whatever zipfile, zlib and numpy do
        raise ModelError(f"{path} is not a readable map of queries ({error}): run c2llm adapt again.") from error
    if found.matrix.shape != (dimension, dimension) or found.offset.shape != (dimension,):
        raise ModelError(f"{path} does not fit the model beside it: run c2llm adapt again.")
    if not (np.isfinite(found.matrix).all() and np.isfinite(found.offset).all()):
        raise ModelError(f"{path} holds numbers that are not finite: run c2llm adapt again.")
    return found
