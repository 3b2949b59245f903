"""Work-done progress of a folder's indexing: percentage, files and chunks, and a cancel (LSP 3.17, work done progress)."""

from __future__ import annotations

import time
import uuid

from lsprotocol import types as lsp

from c2llm_lsp.render.escape import escape_line
from c2llm_lsp.server.client import Client, ClientError
from c2llm_lsp.server.event_loop import EventLoop
from c2llm_lsp.server.folders import Folder, IndexingState, progress_of

BEGIN_AFTER = 0.3  # seconds: what is over sooner is not worth a bar
REPORT_EVERY = 0.1
LABELS = {
    "scan": "Scanning for changes",
    "words": "{done:,} of {total:,} files",
    "vectors": "{done:,} of {total:,} chunks",
}


class ProgressBar:
    """The bar of one folder. Belongs to the thread that reads messages."""

    def __init__(self, loop: EventLoop, client: Client, folder: Folder, *, supported: bool) -> None:
        self._loop, self._client, self._folder, self._supported = loop, client, folder, supported
        self._started: float | None = None  # when indexing began
        self._reported = 0.0
        self._percentage = 0
        self._begun = False
        self.token: str | None = None

    def update(self) -> None:
        """The folder's state has changed."""
        state = self._folder.state
        progress = progress_of(state)
        now = time.monotonic()
        if progress is None:
            self._end(state)
        elif self._started is None:
            self._started = now
        elif self.token is None:
            if now - self._started >= BEGIN_AFTER and self._supported:
                self.token = str(uuid.uuid4())
                self._loop.create_task(self._begin(self.token))
        elif self._begun and now - self._reported >= REPORT_EVERY:
            self._reported = now
            self._percentage = max(self._percentage, progress.percentage)
            self._client.send_progress(
                self.token,
                lsp.WorkDoneProgressReport(message=_label(state), percentage=self._percentage, cancellable=True),
            )

    async def _begin(self, token: str) -> None:
        try:
            await self._client.create_progress(token)
        except ClientError:
            return
        progress = progress_of(self._folder.state)
        if self.token != token or progress is None:  # it was over before the client had answered
            return
        self._begun, self._percentage = True, progress.percentage
        begin = lsp.WorkDoneProgressBegin(
            title=f"Indexing {escape_line(self._folder.name)}",
            cancellable=True,
            message=_label(self._folder.state),
            percentage=self._percentage,
        )
        self._client.send_progress(token, begin)

    def close(self) -> None:
        """The folder was closed."""
        self._end(IndexingState())

    def _end(self, state: IndexingState) -> None:
        if self._begun and self.token is not None:
            message = {"ready": "Done", "paused": "Cancelled"}.get(state.phase, state.message or "Stopped")
            self._client.send_progress(self.token, lsp.WorkDoneProgressEnd(message=message))
        self.token, self._started, self._begun = None, None, False


def _label(state: IndexingState) -> str:
    return LABELS.get(state.stage, state.stage).format(done=state.done, total=state.total)
