"""The client protocol over pygls."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from c2llm_lsp.render.escape import escape_block, escape_line
from c2llm_lsp.server.client import ClientError
from c2llm_lsp.server.protocol import STATUS_CHANGED, StatusChanged
from c2llm_lsp.server.transport.json_rpc import JsonRpcProtocol


class PyglsClient:
    """Sends over one conversation."""

    def __init__(self, protocol: JsonRpcProtocol) -> None:
        self._protocol = protocol
        self._warnings: set[str] = set()

    def show_message(self, text: str, kind: lsp.MessageType = lsp.MessageType.Info) -> None:
        self._protocol.notify(lsp.WINDOW_SHOW_MESSAGE, lsp.ShowMessageParams(kind, escape_block(text)))

    def warn_once(self, text: str, kind: lsp.MessageType = lsp.MessageType.Warning) -> None:
        if text and text not in self._warnings:
            self._warnings.add(text)
            self.show_message(escape_line(text), kind)

    async def choose(self, text: str, titles: Sequence[str]) -> str:
        by_label = {escape_line(title): title for title in titles}
        actions = [lsp.MessageActionItem(label) for label in by_label]
        params = lsp.ShowMessageRequestParams(lsp.MessageType.Info, escape_line(text), actions)
        chosen = await self._request(lsp.WINDOW_SHOW_MESSAGE_REQUEST, params)
        return by_label.get(chosen.title, "") if chosen is not None else ""

    async def show_document(self, uri: str, selection: lsp.Range | None = None) -> bool:
        params = lsp.ShowDocumentParams(uri=uri, external=False, take_focus=True, selection=selection)
        shown = await self._request(lsp.WINDOW_SHOW_DOCUMENT, params)
        return bool(shown and shown.success)

    def status_changed(self, status: StatusChanged) -> None:
        self._protocol.notify(STATUS_CHANGED, msgspec.to_builtins(status))

    def publish_diagnostics(self, uri: str, diagnostics: list[lsp.Diagnostic], version: int | None = None) -> None:
        params = lsp.PublishDiagnosticsParams(uri, diagnostics, version)
        self._protocol.notify(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)

    async def create_progress(self, token: str) -> None:
        await self._request(lsp.WINDOW_WORK_DONE_PROGRESS_CREATE, lsp.WorkDoneProgressCreateParams(token))

    def send_progress(self, token: int | str, value: Any) -> None:
        self._protocol.notify(lsp.PROGRESS, lsp.ProgressParams(token, value))

    async def register_capability(self, registration: lsp.Registration) -> None:
        await self._request(lsp.CLIENT_REGISTER_CAPABILITY, lsp.RegistrationParams([registration]))

    async def configuration(self, section: str) -> Any:
        params = lsp.ConfigurationParams([lsp.ConfigurationItem(section=section)])
        answer = await self._request(lsp.WORKSPACE_CONFIGURATION, params)
        return answer[0] if answer else None

    async def _request(self, method: str, params: Any) -> Any:
        try:
            return await asyncio.wrap_future(self._protocol.send_request(method, params))
        except JsonRpcException as error:
            raise ClientError(str(error)) from error
