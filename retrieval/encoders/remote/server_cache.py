"""Caches server descriptions between runs, so that the vectors of a server that is down stay usable.

One small file per address in the given folder; without a folder nothing is written. It contains no key and no text.
An unreadable file is ignored.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec

from retrieval.bounded_files import read_bounded
from retrieval.encoders.remote.address import Address
from retrieval.errors import StoreError
from retrieval.private_files import private_cache, private_folder, write_private

FOLDER = "servers"
_MAX_BYTES = 64 * 1024


class CachedServer(msgspec.Struct, frozen=True):
    """A server's model. `input_type`: whether it distinguishes queries; `base64`: whether it supports base64."""

    url: str
    model: str
    dimension: int
    fingerprint: str = ""  # of the encoder behind our own server
    input_type: bool = False
    base64: bool = True


def read_cache(folder: Path | None, address: Address) -> CachedServer | None:
    """The cached description of an address."""
    if folder is None:
        return None
    try:
        server = msgspec.json.decode(read_bounded(_file(folder, address), _MAX_BYTES), type=CachedServer)
    except (OSError, msgspec.DecodeError, RecursionError):
        return None
    return server if server.url == address.url and server.dimension > 0 else None


def write_cache(folder: Path | None, address: Address, server: CachedServer) -> None:
    """Write the cache; a full disk only costs another probe next time."""
    if folder is None or read_cache(folder, address) == server:
        return
    path = _file(folder, address)
    with suppress(OSError, StoreError):
        private_cache(folder)
        private_folder(path.parent)
        write_private(path, msgspec.json.encode(server))


def _file(folder: Path, address: Address) -> Path:
    return folder / FOLDER / f"{address.digest}.json"
