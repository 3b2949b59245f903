"""`c2llm/status` tells one moment: its state goes with its counts."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from c2llm_lsp.server import protocol
from c2llm_lsp.server.handlers.status import status


class Notifier:
    def __init__(self, state: protocol.State) -> None:
        self.state = state

    def state_of(self, folder: Any) -> protocol.FolderState:
        return protocol.FolderState(folder=folder.uri, name="shop", state=self.state)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("ready", "ready", "ready"),
        ("indexing", "ready", "indexing"),  # it was counted while chunks were pending
        ("paused", "ready", "paused"),
        ("ready", "indexing", "indexing"),
        ("opening", "failed", "failed"),
    ],
)
def test_it_is_ready_only_if_it_was_before_anything_was_counted(
    before: protocol.State, after: protocol.State, told: protocol.State
) -> None:
    folder, notifier = SimpleNamespace(uri="file:///shop", embedded_chunks=0), Notifier(before)

    async def query(*_: Any) -> list[Any]:
        notifier.state = after
        return []

    services: Any = SimpleNamespace(
        queries=SimpleNamespace(query=query),
        status=notifier,
        state=SimpleNamespace(folders=[folder], settings=SimpleNamespace(merged=SimpleNamespace(encoder=""))),
    )
    answer = asyncio.run(status(services, protocol.StatusParams()))
    assert [folder.state for folder in answer.folders] == [told]
