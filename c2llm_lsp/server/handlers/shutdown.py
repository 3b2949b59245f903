"""`shutdown`; `exit` is the connection's business."""

from __future__ import annotations

from c2llm_lsp.server.services import Services


async def shutdown(server: Services, _params: None) -> None:
    """Stop everything within a second; what was done is in the index."""
    await server.close()
