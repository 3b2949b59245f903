"""What a server was found to be, kept between runs, so that one that is down is still the encoder of its vectors.

One small file for each address, in the folder that the caller names; without one nothing is written. It holds no
key and no text. A file that cannot be read counts as none.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import msgspec

from retrieval.encoders.remote.address import Address

FOLDER = "servers"


class Known(msgspec.Struct, frozen=True):
    """A server's model. `input_type`: whether it is told what is a query; `base64`: whether it can send that."""

    url: str
    model: str
    dimension: int
    fingerprint: str = ""  # of the encoder behind our own server
    input_type: bool = False
    base64: bool = True


def recall(folder: Path | None, address: Address) -> Known | None:
    """What was known of this address the last time."""
    if folder is None:
        return None
    try:
        found = msgspec.json.decode(_file(folder, address).read_bytes(), type=Known)
    except (OSError, msgspec.DecodeError):
        return None
    return found if found.url == address.url and found.dimension > 0 else None


def remember(folder: Path | None, address: Address, known: Known) -> None:
    """Keep it; a disk without room only costs a look at the server the next time."""
    if folder is None or recall(folder, address) == known:
        return
    path = _file(folder, address)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
        fresh.write_bytes(msgspec.json.encode(known))
        fresh.replace(path)


def _file(folder: Path, address: Address) -> Path:
    return folder / FOLDER / f"{address.digest}.json"
