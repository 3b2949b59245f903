"""pygls' server object for one client: registers every handler, and reports errors that have no request to answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import FeatureRequestError
from pygls.lsp.server import LanguageServer

from c2llm_lsp import __version__
from c2llm_lsp.render.error_messages import error_message
from c2llm_lsp.server.fast_initialize import CODE_ACTION_KINDS
from c2llm_lsp.server.handlers import HANDLERS, Handler
from c2llm_lsp.server.handlers.execute_command import HANDLERS as COMMAND_HANDLERS
from c2llm_lsp.server.handlers.execute_command import execute_command
from c2llm_lsp.server.protocol.decoding import decode
from c2llm_lsp.server.pygls_client import PyglsClient
from c2llm_lsp.server.services import Services
from c2llm_lsp.server.text.document import create_converter
from c2llm_lsp.server.transport.json_rpc import JsonRpcProtocol

# What else pygls is to know of a handler; the capabilities that the client is told are those of `fast_initialize`.
OPTIONS = {lsp.TEXT_DOCUMENT_CODE_ACTION: lsp.CodeActionOptions(code_action_kinds=[*CODE_ACTION_KINDS])}

logger = logging.getLogger(__name__)


class App(LanguageServer):
    """One client's server over pygls; made on a running loop."""

    protocol: JsonRpcProtocol

    def __init__(self) -> None:
        super().__init__("c2llm", __version__, protocol_cls=JsonRpcProtocol, converter_factory=create_converter)
        self.services = Services(PyglsClient(self.protocol))
        self.protocol.on_exit = self.services.exit
        for handler in HANDLERS:
            self.feature(handler.method, OPTIONS.get(handler.method))(bound(handler, self.services))
        for name in COMMAND_HANDLERS:
            self.command(name)(partial(execute_command, self.services, name))

    def report_server_error(self, error: Exception, source: type[Exception]) -> None:
        """Something other than a request failed; requests have their answer."""
        if source is not FeatureRequestError:
            logger.error("A message could not be handled", exc_info=error)
            self.services.client.warn_once(error_message(error), lsp.MessageType.Error)


def bound(handler: Handler, services: Services) -> Callable[[Any], Any]:
    """A handler as pygls calls it: where the table says that it runs."""
    if handler.params is not None:
        return partial(_decoded, handler, services)
    if handler.runs == "worker":
        return partial(_on_worker, handler, services)
    return partial(handler.function, services)


async def _decoded(handler: Handler, services: Services, params: Any) -> Any:
    """An own request: parameters of another shape are refused with what is wrong where."""
    assert handler.params is not None
    return await handler.function(services, decode(handler.method, handler.params, params))


def _on_worker(handler: Handler, services: Services, params: Any) -> None:
    services.worker.submit(_logged, handler, services, params)


def _logged(handler: Handler, services: Services, params: Any) -> None:
    try:
        handler.function(services, params)
    except Exception:
        logger.exception("%s failed", handler.method)
