"""Tokens that say whether a job is to stop."""

from __future__ import annotations

from typing import Protocol


class Cancel(Protocol):
    """As threading.Event."""

    def is_set(self) -> bool: ...


class NullCancel:
    """A token that is never cancelled."""

    def is_set(self) -> bool:
        return False
