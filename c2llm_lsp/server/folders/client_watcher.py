"""File events that the client sends, in place of the system's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent


class ClientWatcher:
    """Stands where `retrieval.files.Watcher` expects to start an observer of the system."""

    def __init__(self) -> None:
        self._on_event: Callable[[FileSystemEvent], None] | None = None

    def __call__(self, _root: Path, on_event: Callable[[FileSystemEvent], None]) -> ClientWatcher:
        self._on_event = on_event
        return self

    def send(self, event: FileSystemEvent) -> None:
        if self._on_event is not None:
            self._on_event(event)

    def stop(self) -> None:
        self._on_event = None

    def join(self, timeout: float | None = None) -> None:
        """There is no thread to wait for."""
