"""`workspace/didChangeWatchedFiles`: file events from clients that watch; for the others the folders watch themselves."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import msgspec
from lsprotocol import types as lsp
from watchdog import events

from c2llm_lsp.server.services import Services

logger = logging.getLogger(__name__)


class _FileEvent(msgspec.Struct):
    uri: str
    type: int


class _Params(msgspec.Struct):
    changes: list[_FileEvent]


def did_change_watched_files(server: Services, params: Any) -> None:
    """Pass the events on to the folders. Runs on the worker: a checkout is thousands."""
    try:
        decoded = msgspec.convert(params, _Params)
    except msgspec.ValidationError as error:
        logger.warning("%s: %s", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, error)
        return
    folders = tuple(server.state.folders)
    for change in decoded.changes:
        for folder in folders:
            path = folder.files.relative(change.uri)
            if path is not None:
                for event in _system_events(str(folder.real_path / path), change.type):
                    folder.client_event(event)


def _system_events(path: str, kind: int) -> list[events.FileSystemEvent]:
    """What a system's watch would have reported. Clients report a deleted folder in one event, without its files."""
    if kind == lsp.FileChangeType.Deleted:
        return [events.FileDeletedEvent(path), events.DirDeletedEvent(path)]
    if Path(path).is_dir():
        return [events.DirCreatedEvent(path)] if kind == lsp.FileChangeType.Created else []
    created = kind == lsp.FileChangeType.Created
    return [events.FileCreatedEvent(path) if created else events.FileModifiedEvent(path)]
