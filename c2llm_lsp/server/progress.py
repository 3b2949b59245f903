"""Work-done progress of a folder's indexing: percentage, files and chunks, and a cancel (LSP 3.17, work done progress)."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from c2llm_lsp.server.folder import Folder, Standing
from c2llm_lsp.server.protocol_types import Work

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server

BEGIN_AFTER = 0.3  # seconds: what is over sooner is not worth a bar
EVERY = 0.1
# The parts of a run, in per cent. Words and vectors each take about half of it.
SHARES = {"scan": (0, 2), "words": (2, 50), "vectors": (50, 100)}
LABELS = {
    "scan": "Looking for changes",
    "words": "{done:,} of {total:,} files",
    "vectors": "{done:,} of {total:,} chunks",
}


def work(standing: Standing) -> Work | None:
    """What a folder is doing; None where it does nothing."""
    if standing.state != "indexing":
        return None
    low, high = SHARES.get(standing.stage, (0, 0))
    part = min(standing.done / standing.total, 1.0) if standing.total else 0.0
    percentage = round(low + part * (high - low))
    return Work(stage=standing.stage, done=standing.done, total=standing.total, percentage=percentage)


class FolderProgress:
    """The bar of one folder. Belongs to the thread that reads messages."""

    def __init__(self, server: Server, folder: Folder) -> None:
        self._server, self._folder = server, folder
        self._since: float | None = None
        self._last = 0.0
        self._percentage = 0
        self.token: str | None = None
        self._begun = False

    def follow(self) -> None:
        """The folder's standing has changed."""
        standing = self._folder.standing
        doing = work(standing)
        now = time.monotonic()
        if doing is None:
            self._end(standing)
        elif self._since is None:
            self._since = now
        elif self.token is None:
            if now - self._since >= BEGIN_AFTER and self._server.shows_progress:
                self._create()
        elif self._begun and now - self._last >= EVERY:
            self._last = now
            self._percentage = max(self._percentage, doing.percentage)
            self._server.work_done_progress.report(
                self.token,
                lsp.WorkDoneProgressReport(message=_message(standing), percentage=self._percentage, cancellable=True),
            )

    def _create(self) -> None:
        token = self.token = str(uuid.uuid4())
        created = self._server.protocol.send_request(
            lsp.WINDOW_WORK_DONE_PROGRESS_CREATE, lsp.WorkDoneProgressCreateParams(token=token)
        )
        created.add_done_callback(lambda answer: self._begin(token) if answer.exception() is None else None)

    def _begin(self, token: str) -> None:
        doing = work(self._folder.standing)
        if self.token != token or doing is None:  # it was over before the client had answered
            return
        self._begun, self._percentage = True, doing.percentage
        begin = lsp.WorkDoneProgressBegin(
            title=f"Indexing {self._folder.name}",
            cancellable=True,
            message=_message(self._folder.standing),
            percentage=self._percentage,
        )
        self._server.work_done_progress.begin(token, begin)

    def close(self) -> None:
        """The folder was closed."""
        self._end(Standing())

    def _end(self, standing: Standing) -> None:
        if self._begun and self.token is not None:
            said = {"ready": "Done", "paused": "Cancelled"}.get(standing.state, standing.message or "Stopped")
            self._server.work_done_progress.end(self.token, lsp.WorkDoneProgressEnd(message=said))
            self._server.work_done_progress.tokens.pop(self.token, None)
        self.token, self._since, self._begun = None, None, False


def _message(standing: Standing) -> str:
    return LABELS.get(standing.stage, standing.stage).format(done=standing.done, total=standing.total)
