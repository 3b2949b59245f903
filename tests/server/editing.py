"""What an editor does in one folder: opens, types, saves, closes, and asks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.server.client import Client

SERVE = (sys.executable, "-m", "c2llm_lsp", "serve")
Serve = Callable[..., Client]


@dataclass(frozen=True)
class Faults:
    """How tests hold up and break the encoder of a server: see `fault_injection`."""

    folder: Path

    def set(self, name: str, value: str = "") -> None:
        (self.folder / name).write_text(value)

    def clear(self, name: str) -> None:
        (self.folder / name).unlink()

    def hold_from(self, batch: int) -> None:
        """Let so many batches of passages through, and hold the next one."""
        whole = self.folder / "hold-from.new"
        whole.write_text(str(batch))
        whole.replace(self.folder / "hold-from")

    @property
    def batches(self) -> list[str]:
        log = self.folder / "batches"
        return log.read_text().splitlines() if log.exists() else []


class Opened:
    """A folder of its own in a shared server."""

    def __init__(self, client: Client, root: Path) -> None:
        self.client, self.root, self.uri = client, root, root.as_uri()
        self._versions: dict[str, int] = {}

    def uri_of(self, path: str) -> str:
        return path if ":" in path else (self.root / path).as_uri()

    def search(self, query: str, **more: Any) -> Any:
        return self.client.search(query, folder=self.uri, waitForEdits=True, **more)

    def paths(self, query: str, **more: Any) -> list[str]:
        return [hit["path"] for hit in self.search(query, **more)["hits"]]

    def finds(self, query: str, path: str) -> bool:
        return path in self.paths(query)

    def top(self, query: str) -> Any:
        return self.search(query, limit=1)["hits"][0]

    def state(self) -> Any:
        return self.client.status(self.uri)["folders"][0]

    def settled(self) -> Any:
        """Wait until it is indexed and every edit is in."""
        return self.client.eventually(
            lambda: (found := self.state())["state"] == "ready" and not found["pendingEdits"] and found
        )

    def open(self, path: str, text: str | None = None, language: str = "python") -> None:
        if text is None:
            text = (self.root / path).read_bytes().decode()
        self._versions[path] = 1
        item = {"uri": self.uri_of(path), "languageId": language, "version": 1, "text": text}
        self.client.notify("textDocument/didOpen", {"textDocument": item})

    def change(self, path: str, *changes: Any) -> None:
        """Each change is a whole text, or (line, character, line, character, text)."""
        self._versions[path] = self._versions.get(path, 1) + 1
        events = [change if isinstance(change, dict) else edit(change) for change in changes]
        document = {"uri": self.uri_of(path), "version": self._versions[path]}
        self.client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": events})

    def save(self, path: str, text: str) -> None:
        """What an editor does: write the file, then say so."""
        (self.root / path).write_bytes(text.encode())
        self.client.notify("textDocument/didSave", {"textDocument": {"uri": self.uri_of(path)}})

    def close(self, path: str) -> None:
        self.client.notify("textDocument/didClose", {"textDocument": {"uri": self.uri_of(path)}})

    def leave(self) -> None:
        change = {"added": [], "removed": [{"uri": self.uri, "name": self.root.name}]}
        self.client.notify("workspace/didChangeWorkspaceFolders", {"event": change})


def edit(change: str | tuple[int, int, int, int, str]) -> Any:
    if isinstance(change, str):
        return {"text": change}
    line, character, end_line, end_character, text = change
    start, end = {"line": line, "character": character}, {"line": end_line, "character": end_character}
    return {"range": {"start": start, "end": end}, "text": text}


def enter(client: Client, root: Path) -> Opened:
    change = {"added": [{"uri": root.as_uri(), "name": root.name}], "removed": []}
    client.notify("workspace/didChangeWorkspaceFolders", {"event": change})
    return Opened(client, root)
