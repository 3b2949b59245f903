"""Hints at near duplicates in open documents, as diagnostics; off unless the setting `near_duplicates` is on.

A document is looked at some time after it was shown to the index, one document at a time; an edit ends the look at what it
changed. Belongs to the thread that reads messages; the looking is done where questions are answered.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lsprotocol import types as lsp
from pygls.capabilities import get_capability

from c2llm_lsp.server.document import Document
from c2llm_lsp.server.folder import Folder
from c2llm_lsp.server.navigation_target import landing
from c2llm_lsp.server.positions import Encoding, last_line, split_lines, whole_lines
from retrieval.errors import C2llmError, Cancelled
from retrieval.types import Chunk, Duplicate, Hit

if TYPE_CHECKING:
    from threading import Event

    from c2llm_lsp.server.app import Server
    from retrieval.engine import Workspace

QUIET = 0.5  # seconds after an edit was shown: hints are for a pause, not for each word
CODE, SOURCE = "near-duplicate", "c2llm"
MESSAGE = "Almost the same as {name} in {path}:{line} ({alike:.0%})."


class Hints:
    """What the open documents are told."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._looks: dict[str, asyncio.Task[None]] = {}
        self._told: set[str] = set()  # documents that show hints
        self._indexing: set[Folder] = set()
        self._one = asyncio.Lock()

    def shown(self, uri: str) -> None:
        """The index has the document as it is now."""
        self._stop(uri)
        if self._server.settings.near_duplicates and uri in self._server.documents:
            self._timers[uri] = self._server.loop.call_later(QUIET, self._look, uri)

    def edited(self, uri: str) -> None:
        """What is being looked at is no longer so; the look after the edit comes when it is shown."""
        self._stop(uri)

    def standing(self, folder: Folder) -> None:
        """A folder's standing has changed. After a whole run there is more to compare with; after a changed file what
        documents were told may be over.
        """
        if folder.standing.state == "indexing":
            self._indexing.add(folder)
            return
        whole = folder in self._indexing
        self._indexing.discard(folder)
        for uri, document in self._server.documents.items():
            if (whole or uri in self._told) and any(found is folder for found, _ in self._server.place(document)):
                self.shown(uri)

    def closed(self, uri: str) -> None:
        self._stop(uri)
        self._tell(uri, [])

    def follow(self) -> None:
        """The setting may have changed."""
        for uri in [*self._server.documents, *self._told]:
            if self._server.settings.near_duplicates:
                self.shown(uri)
            else:
                self.closed(uri)

    def _stop(self, uri: str) -> None:
        """Let go of what is planned or being done for a document."""
        if timer := self._timers.pop(uri, None):
            timer.cancel()
        if look := self._looks.pop(uri, None):
            look.cancel()

    def _look(self, uri: str) -> None:
        self._timers.pop(uri, None)
        if (document := self._server.documents.get(uri)) is not None:
            look = self._looks[uri] = asyncio.ensure_future(self._find(document))
            self._server.keep(look)
            look.add_done_callback(lambda done: self._looks.pop(uri) if self._looks.get(uri) is done else None)

    async def _find(self, document: Document) -> None:
        version, place = document.version, self._server.place_of(document.uri)
        if place is None:
            return
        folder, path = place

        def ask(_folder: Folder, workspace: Workspace, cancel: Event) -> tuple[Duplicate, ...]:
            def check() -> None:
                if cancel.is_set():
                    raise Cancelled

            return workspace.near_duplicates(path, check)

        try:
            async with self._one:
                found = await self._server.ask([folder], ask)
        except C2llmError:  # the same as for a question, which would say why; a hint is not worth a message
            return
        if found and document.version == version and self._server.documents.get(document.uri) is document:
            self._tell(document.uri, [self._hint(folder, duplicate) for duplicate in found[0]], version)

    def _tell(self, uri: str, hints: list[lsp.Diagnostic], version: int | None = None) -> None:
        if hints or uri in self._told:
            (self._told.add if hints else self._told.discard)(uri)
            self._server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, hints, version))

    def _hint(self, folder: Folder, duplicate: Duplicate) -> lsp.Diagnostic:
        other, encoding = duplicate.other, self._server.encoding
        name = other.qualified or "code"
        place = lsp.Location(
            folder.uri_of(other.path),
            whole_lines(other.start_line, other.end_line, last_line(other.text), encoding),
        )
        can = get_capability(self._server.client_capabilities, "text_document.publish_diagnostics")
        related = [lsp.DiagnosticRelatedInformation(place, name)] if can and can.related_information else None
        line = _head(other, encoding).start.line + 1
        return lsp.Diagnostic(
            range=_head(duplicate.chunk, encoding),
            message=MESSAGE.format(name=name, path=other.path, line=line, alike=duplicate.likeness),
            severity=lsp.DiagnosticSeverity.Hint,
            code=CODE,
            source=SOURCE,
            related_information=related,
        )


def _head(chunk: Chunk, encoding: Encoding) -> lsp.Range:
    """The rest of the line that has the chunk's name: editors underline what a hint is for."""
    land = landing(Hit(chunk, chunk.start_line, chunk.end_line, chunk.text, 0.0))
    row = split_lines(chunk.text)[land.line - chunk.start_line].rstrip("\r\n")
    start, end = encoding.units(land.before), encoding.units(row)
    return lsp.Range(lsp.Position(land.line - 1, start), lsp.Position(land.line - 1, max(start, end)))
