"""A graph on disk, so that opening a workspace does not build it again. A cache: whatever is wrong with it, it is just
not there.

    8 bytes    magic "C2LLMGR" and the format's version as one byte
    4 bytes    length of the header, little-endian
    header     JSON: fingerprint of the encoder, generation of the index file that the ids belong to, revision of
               the graph (as "change"), dimension, count, hnswlib's scalars, and name, type and length of each array
    arrays     as they lie in memory, little-endian, one behind the other; the first is the live ids (int64)
    16 bytes   blake2b of everything before

Nothing of it is unpickled. hnswlib's own file format is not used because it must begin at byte 0 and admits no byte
behind it: a checksum would need a second file, and two files cannot be replaced at once. It is written to a temporary
file, synced and renamed, so a reader sees the old graph or the new one, never half of one.

Versions: 1 the above.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.private_files import FOLDER_MODE
from retrieval.vectors.hnsw import HnswIndex
from retrieval.vectors.protocol import Ids

MAGIC = b"C2LLMGR\x01"
_SUM_BYTES = 16
_LIVE = "live"


@dataclass(frozen=True, slots=True)
class GraphStamp:
    """What a graph stands for. It is valid for the same fingerprint and generation only; `revision` says how current it
    is.
    """

    fingerprint: str
    generation: str
    revision: int


State = tuple[dict[str, Any], Ids]


def save(index: HnswIndex, path: Path, stamp: GraphStamp, *, state: State | None = None) -> None:
    """Replace the snapshot at `path`. Raises OSError where there is no room; the old snapshot is then still there.

    `state`: the index's own of the moment of the stamp, where that has passed.
    """
    scalars, live = state or index.state()
    arrays = {_LIVE: live.astype("<i8")}
    arrays |= {name: np.ascontiguousarray(value) for name, value in scalars.items() if isinstance(value, np.ndarray)}
    header = {
        "fingerprint": stamp.fingerprint,
        "generation": stamp.generation,
        "change": stamp.revision,
        "dimension": index.dimension,
        "count": len(live),
        "scalars": {name: value for name, value in scalars.items() if not isinstance(value, np.ndarray)},
        "arrays": [[name, array.dtype.str, array.size] for name, array in arrays.items()],
    }
    text = json.dumps(header).encode()
    path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=path.name + ".", suffix=".tmp", dir=path.parent)
    try:
        digest = hashlib.blake2b(digest_size=_SUM_BYTES)
        with os.fdopen(handle, "wb") as file:
            # Views, no copies: copying 60 MB would hold the interpreter's lock for 70 ms, hashing and writing do not.
            views: list[Any] = [array.reshape(-1).view(np.uint8) for array in arrays.values()]
            for part in (MAGIC, len(text).to_bytes(4, "little"), text, *views):
                digest.update(part)
                file.write(part)
            file.write(digest.digest())
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
    _sync_folder(path.parent)


def load(path: Path, fingerprint: str, generation: str, *, threads: int = 1) -> tuple[HnswIndex, int] | None:
    """The graph and its revision; None where there is none, or none that can be trusted."""
    try:
        data = np.fromfile(path, dtype=np.uint8)
    except OSError:
        return None
    try:
        return _decode(data, fingerprint, generation, threads)
    except (ValueError, KeyError, TypeError, IndexError, RuntimeError):
        return None  # another format, or what hnswlib itself refuses


def _decode(
    data: np.ndarray[Any, np.dtype[np.uint8]], fingerprint: str, generation: str, threads: int
) -> tuple[HnswIndex, int] | None:
    body, checksum = data[:-_SUM_BYTES], data[-_SUM_BYTES:].tobytes()
    start = len(MAGIC) + 4
    if len(body) < start or body[: len(MAGIC)].tobytes() != MAGIC:
        return None
    size = int.from_bytes(body[len(MAGIC) : start].tobytes(), "little")
    header = json.loads(body[start : start + size].tobytes())
    if header["fingerprint"] != fingerprint or header["generation"] != generation:
        return None
    if hashlib.blake2b(body.data, digest_size=_SUM_BYTES).digest() != checksum:
        return None
    state: dict[str, Any] = dict(header["scalars"])
    at = start + size
    for name, kind, length in header["arrays"]:
        # Views into the file's bytes, no copies: the graph of 50,000 rows is 60 MB.
        state[name] = np.frombuffer(body.data, dtype=kind, count=length, offset=at)
        at += np.dtype(kind).itemsize * length
    live = state.pop(_LIVE)
    return HnswIndex.from_state(state, live, threads=threads), int(header["change"])


def _sync_folder(folder: Path) -> None:
    """Make the rename itself last; not every system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
