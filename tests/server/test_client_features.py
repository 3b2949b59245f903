"""Whose file events are relied on; whoever tells of less than everything is not."""

from __future__ import annotations

import pytest
from lsprotocol import types as lsp

from c2llm_lsp.server.handlers.initialize import client_features


def params(name: str | None, offers: bool | None) -> lsp.InitializeParams:
    watched = lsp.DidChangeWatchedFilesClientCapabilities(dynamic_registration=offers)
    return lsp.InitializeParams(
        capabilities=lsp.ClientCapabilities(
            workspace=lsp.WorkspaceClientCapabilities(did_change_watched_files=watched)
        ),
        client_info=lsp.ClientInfo(name) if name else None,
    )


@pytest.mark.parametrize("name", ["Visual Studio Code", "Visual Studio Code - Insiders", "Neovim", "Zed"])
def test_clients_that_watch_whole_trees_are_relied_on(name: str) -> None:
    assert client_features(params(name, True)).file_events


@pytest.mark.parametrize("name", ["helix", "Emacs", "another", None])
def test_clients_that_tell_of_part_of_the_changes_are_not(name: str | None) -> None:
    assert not client_features(params(name, True)).file_events


@pytest.mark.parametrize("offers", [False, None])
def test_a_client_that_offers_no_events_is_not(offers: bool | None) -> None:
    assert not client_features(params("Neovim", offers)).file_events
