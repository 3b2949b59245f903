"""Where an entry stands in a configuration file, and what such a file can do: one interface for every format."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class EntryPath:
    """The keys that lead to an entry. With a `marker` they lead to a list, and the entry is its element that has the marker."""

    keys: tuple[str, ...]
    marker: str = ""

    def is_entry(self, element: object) -> bool:
        return self.marker in json.dumps(element, ensure_ascii=False)


class Format(Protocol):
    """A text format. Each function raises ConfigError for a text that is broken or of a form that is not edited."""

    def get(self, text: str, path: EntryPath) -> object | None:
        """The entry, None if there is none."""
        ...

    def put(self, text: str, path: EntryPath, data: object) -> str:
        """The text with the entry, which is added or replaced."""
        ...

    def drop(self, text: str, path: EntryPath) -> str:
        """The text without the entry."""
        ...
