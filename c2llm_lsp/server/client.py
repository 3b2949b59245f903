"""What the server sends to the editor, as a typed protocol: everything above knows this, and not how it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from lsprotocol import types as lsp

from c2llm_lsp.server.protocol import StatusChanged


class ClientError(Exception):
    """The client answered a request with an error, or not as the protocol says."""


class Client(Protocol):
    """Notifications may be sent from the thread that reads messages; requests are awaited there."""

    # -- messages to the user ---------------------------------------------------------------------------------------

    def show_message(self, text: str, kind: lsp.MessageType = lsp.MessageType.Info) -> None: ...

    def warn_once(self, text: str, kind: lsp.MessageType = lsp.MessageType.Warning) -> None:
        """Show a message that is not shown again."""

    async def choose(self, text: str, titles: Sequence[str]) -> str:
        """The title that the user picks, empty for none. Raises ClientError."""

    async def show_document(self, uri: str, selection: lsp.Range | None = None) -> bool:
        """Whether the client has shown it. Raises ClientError."""

    # -- state ------------------------------------------------------------------------------------------------------

    def status_changed(self, status: StatusChanged) -> None: ...

    def publish_diagnostics(self, uri: str, diagnostics: list[lsp.Diagnostic], version: int | None = None) -> None: ...

    # -- progress ---------------------------------------------------------------------------------------------------

    async def create_progress(self, token: str) -> None:
        """Raises ClientError."""

    def send_progress(self, token: int | str, value: Any) -> None:
        """Work-done progress, or a partial result."""

    # -- capabilities and settings ----------------------------------------------------------------------------------

    async def register_capability(self, registration: lsp.Registration) -> None:
        """Raises ClientError."""

    async def configuration(self, section: str) -> Any:
        """The client's settings of a section. Raises ClientError."""
