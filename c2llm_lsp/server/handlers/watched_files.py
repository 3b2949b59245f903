"""`workspace/didChangeWatchedFiles`: file events from clients that watch; for the others the folders watch themselves."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from watchdog import events

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server
    from c2llm_lsp.server.folder import Folder

logger = logging.getLogger(__name__)


class _Change(msgspec.Struct):
    uri: str
    type: int


class _Changes(msgspec.Struct):
    changes: list[_Change]


def register(server: Server) -> None:
    worker = ThreadPoolExecutor(1, "c2llm-events")  # in their order, and not on the loop: a checkout is thousands

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_watched_files(params: Any) -> None:
        worker.submit(_pass_on, params, tuple(server.folders))


def _pass_on(params: Any, folders: Sequence[Folder]) -> None:
    try:
        told = msgspec.convert(params, _Changes)
    except msgspec.ValidationError as error:
        logger.warning("%s: %s", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, error)
        return
    for change in told.changes:
        for folder in folders:
            path = folder.relative(change.uri)
            if path is not None:
                for event in _events(str(folder.real / path), change.type):
                    folder.client_event(event)


async def ask_for_events(server: Server) -> None:
    """Register for everything; what to leave out is the index's business."""
    options = lsp.DidChangeWatchedFilesRegistrationOptions([lsp.FileSystemWatcher(glob_pattern="**/*")])
    registration = lsp.Registration("c2llm-files", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
    try:
        await server.client_register_capability_async(lsp.RegistrationParams([registration]))
    except JsonRpcException as error:
        logger.warning("The client does not watch files after all: %s", error)
        server.client_watches = False
        for folder in tuple(server.folders):
            server.renew(folder)
        return
    for folder in server.folders:  # what changed before the client watched, nobody has told
        if folder.session is not None:
            folder.session.rescan("the client watches now")


def _events(path: str, kind: int) -> list[events.FileSystemEvent]:
    """What a system's watch would have reported. Clients report a deleted folder in one event, without its files."""
    if kind == lsp.FileChangeType.Deleted:
        return [events.FileDeletedEvent(path), events.DirDeletedEvent(path)]
    if Path(path).is_dir():
        return [events.DirCreatedEvent(path)] if kind == lsp.FileChangeType.Created else []
    created = kind == lsp.FileChangeType.Created
    return [events.FileCreatedEvent(path) if created else events.FileModifiedEvent(path)]
