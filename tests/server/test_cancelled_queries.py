"""A question that nobody waits for any more is given up, and does not keep the next one from its thread."""

from __future__ import annotations

import asyncio
import queue
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from c2llm_lsp.server import protocol
from c2llm_lsp.server.app import App
from c2llm_lsp.server.handlers.search import search
from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.errors import CancelledError
from tests.cli.program import lay_out
from tests.patience import PATIENCE


class Held(OverlapEncoder):
    """An encoder whose queries wait."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go = threading.Event(), threading.Event()

    def encode_queries(self, texts: Any) -> np.ndarray:
        self.begun.set()
        assert self.go.wait(PATIENCE)
        return super().encode_queries(texts)


class Told(Workspace):
    """A workspace that tells how each search ended."""

    def search(self, *arguments: Any, **named: Any) -> Any:
        try:
            answer = super().search(*arguments, **named)
        except CancelledError:
            ENDS.put("given up")
            raise
        ENDS.put("answered")
        return answer


ENDS: queue.Queue[str] = queue.Queue()


@pytest.mark.parametrize(("cancelled", "end"), [(True, "given up"), (False, "answered")])
def test_a_cancelled_search_ends_at_its_next_stage(cancelled: bool, end: str, tmp_path: Path) -> None:
    root = lay_out(tmp_path / "project", {"bake.py": "def bake(oven):\n    return oven.heat()\n"})
    encoder = Held()

    async def ask(workspace: Workspace) -> None:
        server = App().services
        server.folders.add(root.as_uri(), "project")
        folder = server.state.folders[0]
        await server.folders.wait_open([folder])
        folder.close()
        folder.workspace = workspace
        task = asyncio.ensure_future(search(server, protocol.SearchParams(query="bake")))
        assert await asyncio.to_thread(encoder.begun.wait, PATIENCE)
        if cancelled:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        encoder.go.set()
        assert await asyncio.to_thread(ENDS.get, True, PATIENCE) == end
        if not cancelled:
            assert (await task).hits

    with Told.open(root, encoder=encoder, cache_dir=tmp_path / "cache") as workspace:
        workspace.refresh()
        asyncio.run(ask(workspace))
