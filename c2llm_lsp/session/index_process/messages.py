"""What a session and its index process say to each other.

Messages travel as plain values (see retrieval.indexing.ipc), tagged with their type and checked on arrival. Names are not
encoded on the way: the path of a workspace may hold bytes that are not UTF-8.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from c2llm_lsp.settings import Settings
from retrieval.types import IndexReport

T = TypeVar("T")


class Message(msgspec.Struct, frozen=True, tag=True):
    """What all of these have in common."""


class Start(Message, frozen=True):
    """The first message to the child: which workspace it indexes, and what asked for it."""

    root: str
    settings: Settings
    cause: str


class Changed(Message, frozen=True):
    """Index these paths, before anything else."""

    paths: tuple[str, ...]


class Rescan(Message, frozen=True):
    """Compare the whole tree with the index."""

    cause: str


class Cancel(Message, frozen=True):
    """Pause: index changed files only, until a rescan is requested."""


class Progress(Message, frozen=True):
    """How far the full scan is."""

    stage: str
    done: int
    total: int


class Done(Message, frozen=True):
    """A job ended; `paths` is null for a full scan."""

    paths: tuple[str, ...] | None
    cause: str
    report: IndexReport


class Busy(Message, frozen=True):
    """A third process is writing."""

    report: IndexReport


class Failed(Message, frozen=True):
    """A job failed, or the workspace could not be opened."""

    error: str


class Idle(Message, frozen=True):
    """There is nothing left to do, after so many commands."""

    commands_seen: int


Command = Changed | Rescan | Cancel
Report = Progress | Done | Busy | Failed | Idle


def encode(message: Message) -> Any:
    return msgspec.to_builtins(message)


def decode(value: Any, kind: Any) -> Any:
    """A message of this type or union of types. Raises ValueError for anything else."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"not a message of an index process: {error}") from error
