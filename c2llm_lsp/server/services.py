"""The parts of the server, wired for one client: what handlers are given."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from c2llm_lsp.server.client import Client
from c2llm_lsp.server.diagnostics import NearDuplicateDiagnostics
from c2llm_lsp.server.event_loop import EventLoop
from c2llm_lsp.server.folder_manager import FolderManager
from c2llm_lsp.server.query_runner import QueryRunner
from c2llm_lsp.server.state import State
from c2llm_lsp.server.status_notifier import StatusNotifier
from c2llm_lsp.server.sync import DocumentSync


class Services:
    """One client's server, without its transport. Belongs to the thread that reads messages."""

    def __init__(self, client: Client) -> None:
        loop = asyncio.get_running_loop()
        self.client = client
        self.state = State()
        self.loop = EventLoop(loop)
        self.queries = QueryRunner(loop)
        self.worker = ThreadPoolExecutor(1, "c2llm-worker")  # handlers that run beside the loop, in order
        self.diagnostics = NearDuplicateDiagnostics(self.loop, client, self.state, self.queries)
        self.sync = DocumentSync(loop, self.state, self.diagnostics)
        self.status = StatusNotifier(loop, client, self.state, self.sync)
        self.folders = FolderManager(self.loop, client, self.state, self.sync, self.status, self.diagnostics)
        self.exit_code: int | None = None
        self.exited = asyncio.Event()

    def exit(self, code: int) -> None:
        """Stop reading and leave with this code; the first one counts."""
        if self.exit_code is None:
            self.exit_code = code
        self.exited.set()

    async def close(self) -> None:
        """Stop everything and leave what was done in the index."""
        self.sync.stop()
        await self.folders.close_all()
