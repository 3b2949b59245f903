"""`shutdown`: everything stops and is left in the index within a second; `exit` is the protocol's business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types as lsp

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server


def register(server: Server) -> None:
    @server.feature(lsp.SHUTDOWN)
    async def shutdown(_: None) -> None:
        await server.close_all()
