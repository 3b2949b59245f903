"""The conversation of real editors, with the capabilities that were recorded from them (pytest-lsp)."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls.protocol import default_converter
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities, make_test_lsp_client

from tests.cli.conftest import PROJECT
from tests.cli.program import Program, lay_out
from tests.patience import PATIENCE

NEW = "def bake_chocolate_cake(oven):\n    return oven.heat('flour', 'sugar')\n\n\n"


def listening_client() -> tuple[LanguageClient, asyncio.Queue[str]]:
    """A client, and the states of the folder as the server tells them."""
    client = make_test_lsp_client()
    states: asyncio.Queue[str] = asyncio.Queue()

    @client.feature("c2llm/statusChanged")
    def changed(params: Any) -> None:
        for folder in params.folders:
            states.put_nowait(folder.state)

    return client, states


async def until_ready(states: asyncio.Queue[str]) -> None:
    while await asyncio.wait_for(states.get(), PATIENCE) != "ready":
        pass


@pytest.mark.slow
@pytest.mark.parametrize("editor", ["visual-studio-code", "neovim", "emacs"])
def test_an_editor_searches_what_is_typed_and_not_saved(editor: str, tmp_path: Path) -> None:
    asyncio.run(_converse(editor, lay_out(tmp_path / "project", PROJECT), Program(tmp_path / "home")))


async def _converse(editor: str, root: Path, program: Program) -> None:
    client, states = listening_client()
    config = ClientServerConfig([sys.executable, "-m", "c2llm_lsp", "serve"], lambda: client, program.environment())
    await config.start()
    try:
        capabilities = client_capabilities(editor)
        answer = await client.initialize_session(
            lsp.InitializeParams(
                capabilities=capabilities,
                root_uri=root.as_uri(),
                workspace_folders=[lsp.WorkspaceFolder(root.as_uri(), "project")],
            )
        )
        promised = default_converter().unstructure(answer.capabilities)
        assert promised["workspaceSymbolProvider"]
        offered = capabilities.general.position_encodings if capabilities.general else None
        assert promised["positionEncoding"] in (offered or ["utf-16"])
        await until_ready(states)
        uri = (root / "new.py").as_uri()
        client.text_document_did_open(lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(uri, "python", 1, "")))
        start = lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0))
        client.text_document_did_change(
            lsp.DidChangeTextDocumentParams(
                lsp.VersionedTextDocumentIdentifier(2, uri), [lsp.TextDocumentContentChangePartial(start, NEW)]
            )
        )
        found = await client.protocol.send_request_async(
            "c2llm/search", {"query": "bake a chocolate cake", "limit": 1, "waitForEdits": True}
        )
        assert found.hits[0].uri == uri
        symbols = await client.workspace_symbol_async(lsp.WorkspaceSymbolParams("bake chocolate cake"))
        assert symbols and symbols[0].name == "bake_chocolate_cake"
        actions = await client.text_document_code_action_async(
            lsp.CodeActionParams(lsp.TextDocumentIdentifier(uri), start, lsp.CodeActionContext([]))
        )
        assert actions and "Find similar code" in [action.title for action in actions]
    finally:
        await client.shutdown_session()
        await client.stop()
