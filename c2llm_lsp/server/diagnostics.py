"""Near duplicates in open documents, as diagnostics (hints); off unless the setting `near_duplicates` is on.

A document is checked some time after it was indexed, one document at a time; an edit cancels the check of its document.
Belongs to the thread that reads messages; the check itself runs where queries do.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from c2llm_lsp.render.escape import escape_line
from c2llm_lsp.server.client import Client
from c2llm_lsp.server.event_loop import EventLoop
from c2llm_lsp.server.folders import Folder
from c2llm_lsp.server.query_runner import QueryRunner
from c2llm_lsp.server.state import State
from c2llm_lsp.server.text.document import Document
from c2llm_lsp.server.text.navigation_target import navigation_target
from c2llm_lsp.server.text.positions import Encoding, last_line, split_lines, whole_lines
from retrieval.errors import C2llmError, CancelledError
from retrieval.types import Chunk, Duplicate, Hit

if TYPE_CHECKING:
    from threading import Event

    from retrieval.engine import Workspace

QUIET = 0.5  # seconds after an edit was indexed: diagnostics are for a pause, not for each word
CODE, SOURCE = "near-duplicate", "c2llm"
MESSAGE = "Almost the same as {name} in {path}:{line} ({similarity:.0%})."


class NearDuplicateDiagnostics:
    """Follows the documents (`DocumentListener`) and the folders' states."""

    def __init__(self, loop: EventLoop, client: Client, state: State, queries: QueryRunner) -> None:
        self._loop, self._client, self._state, self._queries = loop, client, state, queries
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._checks: dict[str, asyncio.Task[None]] = {}
        self._shown: set[str] = set()  # documents that have diagnostics
        self._indexing: set[Folder] = set()
        self._one = asyncio.Lock()

    def document_changed(self, uri: str) -> None:
        """The check after the edit comes when it is indexed."""
        self._cancel(uri)

    def document_indexed(self, uri: str) -> None:
        self._cancel(uri)
        if self._state.settings.merged.near_duplicates and uri in self._state.documents:
            self._timers[uri] = self._loop.asyncio.call_later(QUIET, self._start_check, uri)

    def document_closed(self, uri: str) -> None:
        self._cancel(uri)
        self._publish(uri, [])

    def indexing_changed(self, folder: Folder) -> None:
        """After a whole run there is more to compare with; after a changed file what is shown may be outdated."""
        if folder.state.phase == "indexing":
            self._indexing.add(folder)
            return
        whole = folder in self._indexing
        self._indexing.discard(folder)
        for document in self._state.documents_in(folder):
            if whole or document.uri in self._shown:
                self.document_indexed(document.uri)

    def setting_changed(self) -> None:
        for uri in [*self._state.documents, *self._shown]:
            if self._state.settings.merged.near_duplicates:
                self.document_indexed(uri)
            else:
                self.document_closed(uri)

    def _cancel(self, uri: str) -> None:
        """Drop what is planned or running for a document."""
        if timer := self._timers.pop(uri, None):
            timer.cancel()
        if check := self._checks.pop(uri, None):
            check.cancel()

    def _start_check(self, uri: str) -> None:
        self._timers.pop(uri, None)
        if (document := self._state.documents.get(uri)) is not None:
            check = self._checks[uri] = self._loop.create_task(self._check(document))
            check.add_done_callback(lambda done: self._checks.pop(uri) if self._checks.get(uri) is done else None)

    async def _check(self, document: Document) -> None:
        version, location = document.version, self._state.location(document.uri)
        if location is None:
            return
        folder, path = location

        def query(_folder: Folder, workspace: Workspace, cancel: Event) -> tuple[Duplicate, ...]:
            def check_cancelled() -> None:
                if cancel.is_set():
                    raise CancelledError

            return workspace.near_duplicates(path, check_cancelled)

        try:
            async with self._one:
                answers = await self._queries.query([folder], query)
        except C2llmError:  # a search would say why; diagnostics are not worth a message
            return
        if answers and document.version == version and self._state.documents.get(document.uri) is document:
            self._publish(document.uri, [self._diagnostic(folder, duplicate) for duplicate in answers[0]], version)

    def _publish(self, uri: str, diagnostics: list[lsp.Diagnostic], version: int | None = None) -> None:
        if diagnostics or uri in self._shown:
            (self._shown.add if diagnostics else self._shown.discard)(uri)
            self._client.publish_diagnostics(uri, diagnostics, version)

    def _diagnostic(self, folder: Folder, duplicate: Duplicate) -> lsp.Diagnostic:
        other, encoding = duplicate.other, self._state.encoding
        name = escape_line(other.qualified) or "code"
        location = lsp.Location(
            folder.files.uri_of(other.path),
            whole_lines(other.start_line, other.end_line, last_line(other.text), encoding),
        )
        supported = self._state.client.related_information
        line = _name_range(other, encoding).start.line + 1
        return lsp.Diagnostic(
            range=_name_range(duplicate.chunk, encoding),
            message=MESSAGE.format(name=name, path=escape_line(other.path), line=line, similarity=duplicate.similarity),
            severity=lsp.DiagnosticSeverity.Hint,
            code=CODE,
            source=SOURCE,
            related_information=[lsp.DiagnosticRelatedInformation(location, name)] if supported else None,
        )


def _name_range(chunk: Chunk, encoding: Encoding) -> lsp.Range:
    """The rest of the line that has the chunk's name: editors underline the range of a diagnostic."""
    target = navigation_target(Hit(chunk, chunk.start_line, chunk.end_line, chunk.text, 0.0))
    row = split_lines(chunk.text)[target.line - chunk.start_line].rstrip("\r\n")
    start, end = encoding.units(target.before), encoding.units(row)
    return lsp.Range(lsp.Position(target.line - 1, start), lsp.Position(target.line - 1, max(start, end)))
