"""`c2llm/statusChanged`: the state of all folders, sent soon after one of them has changed."""

from __future__ import annotations

import asyncio

from c2llm_lsp.server.client import Client
from c2llm_lsp.server.folders import Folder, progress_of
from c2llm_lsp.server.protocol import FolderState, StatusChanged
from c2llm_lsp.server.state import State
from c2llm_lsp.server.sync import DocumentSync

STATUS_EVERY = 0.25  # seconds between two notifications


class StatusNotifier:
    """Belongs to the thread that reads messages."""

    def __init__(self, loop: asyncio.AbstractEventLoop, client: Client, state: State, sync: DocumentSync) -> None:
        self._loop, self._client, self._state, self._sync = loop, client, state, sync
        self._due: asyncio.TimerHandle | None = None

    def changed(self) -> None:
        if self._due is None:
            self._due = self._loop.call_later(STATUS_EVERY, self._send)

    def state_of(self, folder: Folder) -> FolderState:
        return FolderState(
            folder=folder.uri,
            name=folder.name,
            state=folder.state.phase,
            work=progress_of(folder.state),
            message=folder.state.message,
            pending_edits=self._sync.pending_in(folder),
        )

    def _send(self) -> None:
        self._due = None
        self._client.status_changed(StatusChanged(folders=[self.state_of(folder) for folder in self._state.folders]))
