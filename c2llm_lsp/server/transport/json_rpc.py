"""pygls' protocol, where ours differs: documents are kept as we keep them, every request gets an answer, commands can be
cancelled, malformed messages cost one log line, and ending is up to the server.
"""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import Any

import msgspec
from cattrs import transform_error
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcInternalError, JsonRpcInvalidParams, JsonRpcMethodNotFound
from pygls.protocol import LanguageServerProtocol, lsp_method
from pygls.protocol.json_rpc import JsonRPCNotification, JsonRPCRequestMessage, JsonRPCResponseMessage

from c2llm_lsp.render.error_messages import error_message
from c2llm_lsp.server.fast_initialize import initialize_result
from c2llm_lsp.server.transport.messages import INVALID_REQUEST, Unreadable, parse
from retrieval.errors import C2llmError, CancelledError, QueryError

NOT_INITIALIZED, CANCELLED = -32002, -32800
OWN = "c2llm/"
UNDECODED = lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES  # thousands of entries: pygls' converter would hold up the loop
_LOGGED = 300  # characters of what is wrong with a message
Handled = Generator[Any, Any, Any]

logger = logging.getLogger(__name__)


class JsonRpcProtocol(LanguageServerProtocol):
    """One client's conversation."""

    on_exit: Callable[[int], None]  # set by whoever owns the connection; called with LSP's exit code
    _answered: Any = None  # the id of an `initialize` that has its answer already

    # -- receiving --------------------------------------------------------------------------------------------------

    def receive_body(self, body: bytes, *, answered: bool = False) -> None:
        """Decode and handle one message; whatever is wrong with it, the next one is read."""
        try:
            self.receive(parse(body), answered=answered)
        except Unreadable as error:
            logger.warning(str(error))
            self._send_data(_error(None, error.code, str(error)))  # JSON-RPC gives such answers no id
        except Exception:
            logger.exception("A message could not be handled")

    def receive(self, message: dict[str, Any], *, answered: bool = False) -> None:
        """Handle one message as it came; whatever is wrong with it, a request is answered, unless it has been."""
        method = message.get("method")
        if answered:
            self._answered = message["id"]
        if not self._well_formed(message):
            return None
        request_id = message.get("id") if isinstance(method, str) else None
        if isinstance(method, str) and not self._in_order(method, request_id):
            return None
        try:
            self.handle_message(self.structure_message({**message, "jsonrpc": self.VERSION}))
        except JsonRpcException as error:
            if method == lsp.INITIALIZE and message.get("params") != (kept := _essential(message.get("params"))):
                return self.receive({**message, "params": kept})
            text = f"The parameters of {method} are not those of the protocol." if method else "Not a message."
            logger.warning("%s %s", text, error.message or "")
            if request_id is not None:
                self._refuse(request_id, JsonRpcInvalidParams.CODE, text)
            else:
                self._reject_response(message)
        except Exception:  # the next message is another one
            logger.exception("A message could not be handled")
            if request_id is not None:
                self._refuse(request_id, JsonRpcInternalError.CODE, f"{method} could not be handled; see the log.")

    def _reject_response(self, message: dict[str, Any]) -> None:
        """A response that cannot be decoded still ends the request: whoever waits for it need not wait any more."""
        future = self._request_futures.get(message.get("id", "")) if "method" not in message else None
        if isinstance(future, Future) and not future.done():  # that of a client's own request would be asyncio's
            self._request_futures.pop(message["id"])
            future.set_exception(JsonRpcInternalError(message="The answer is not that of the protocol."))

    def _well_formed(self, message: dict[str, Any]) -> bool:
        """Whether this is a message of JSON-RPC 2.0 at all; a request that is not gets an error."""
        request_id, method = message.get("id"), message.get("method", "")
        valid_id = isinstance(request_id, (int, str)) and not isinstance(request_id, bool)
        text = ""
        if "id" in message and not valid_id:
            text = "An id must be an integer or a string."
        elif not isinstance(method, str):
            text = "A method must be a string."
        elif message.get("jsonrpc", self.VERSION) != self.VERSION:
            text = f"Messages must be those of JSON-RPC {self.VERSION}."
        if text and "id" in message and "method" in message:
            self._send_data(_error(request_id if valid_id else None, INVALID_REQUEST, text))
        elif text:
            logger.warning(text)
        return not text

    def _in_order(self, method: str, request_id: Any) -> bool:
        """Whether a message comes at a time when it may (LSP 3.17, lifecycle); a request that may not is refused."""
        begun = hasattr(self, "client_capabilities")
        if method == lsp.EXIT or (begun and not self._shutdown and method != lsp.INITIALIZE):
            return True
        if method == lsp.INITIALIZE and not begun:
            return True
        if request_id is not None:
            late = "The server has been shut down." if self._shutdown else "The server is initialized already."
            code, text = (INVALID_REQUEST, late) if begun else (NOT_INITIALIZED, "The server is not initialized yet.")
            self._refuse(request_id, code, text)
        return False

    def structure_message(self, data: dict[str, Any]) -> Any:
        """A message as its type. Own messages, and long ones, keep their parameters as they came; their handlers decode
        them. Raises JsonRpcInvalidParams with what is wrong; pygls logs a traceback of some pages for each.
        """
        method = data.get("method", "")
        if method.startswith((OWN, UNDECODED)):
            params, version = data.get("params"), data["jsonrpc"]
            if "id" in data:
                return JsonRPCRequestMessage(data["id"], method, version, params)
            return JsonRPCNotification(method, version, params)
        kind: Any
        if "id" not in data:
            kind = self.get_message_type(method) or JsonRPCNotification
        elif "error" in data:
            kind = lsp.ResponseErrorMessage
        elif "method" in data:
            kind = self.get_message_type(method) or JsonRPCRequestMessage
        else:
            kind = self._result_types.pop(data["id"], None) or JsonRPCResponseMessage
        try:
            return self._converter.structure(data, kind)
        except Exception as error:
            reason = "; ".join(transform_error(error, path="message"))[:_LOGGED]
            raise JsonRpcInvalidParams(message=reason) from None

    def _execute_handler(
        self,
        msg_id: Any,
        handler: Any,
        callback: Callable[[Any], None],
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        """pygls keeps the futures of notifications for ever: 3 KB for each keystroke."""

        def done(future: Future[Any]) -> None:
            if not future.cancelled():  # then pygls is going through them
                self._request_futures.pop(msg_id, None)
            callback(future)

        super()._execute_handler(msg_id, handler, done, args, kwargs)

    # -- sending ----------------------------------------------------------------------------------------------------

    def _refuse(self, request_id: Any, code: int, text: str) -> None:
        self._send_response(request_id, error=lsp.ResponseError(code=code, message=text))

    def _send_handler_result(self, future: Future[Any] | asyncio.Future[Any], *, msg_id: Any) -> None:
        """Errors that people understand go out as they are; others as one sentence, and their cause to the log."""
        self._request_futures.pop(msg_id, None)
        error = None if future.cancelled() else future.exception()
        if future.cancelled() or isinstance(error, CancelledError):
            self._refuse(msg_id, CANCELLED, "The request was cancelled.")
        elif error is None:
            self._send_response(msg_id, result=future.result())
        elif isinstance(error, JsonRpcException):
            self._refuse(msg_id, error.code or JsonRpcInternalError.CODE, error.message or str(error))
        else:
            if not isinstance(error, C2llmError):
                logger.error("A request failed:\n%s", "".join(traceback.format_exception(error)))
            code = JsonRpcInvalidParams.CODE if isinstance(error, QueryError) else JsonRpcInternalError.CODE
            self._refuse(
                msg_id, code, error_message(error if isinstance(error, Exception) else RuntimeError(str(error)))
            )

    def _send_response(self, msg_id: Any, result: Any = None, error: lsp.ResponseError | None = None) -> None:
        if msg_id == self._answered:
            self._answered = None
        elif error is None and isinstance(result, msgspec.Struct):
            self._send_own(msg_id, result)
        else:
            super()._send_response(msg_id, result, error)

    def _send_own(self, msg_id: Any, result: msgspec.Struct) -> None:
        """An answer of our own types, which needs no converter: twenty times as fast for a list of hits."""
        message = {"jsonrpc": self.VERSION, "id": msg_id, "result": result}
        try:
            body = msgspec.json.encode(message)
        except UnicodeEncodeError:  # half of a surrogate pair, which JSON can escape and UTF-8 cannot write
            self._send_data(msgspec.to_builtins(message))
        else:
            self._write(body)

    def _send_data(self, data: Any) -> None:
        """Any thread: encode and send a message. A response that cannot be encoded is replaced by an error."""
        try:
            body = json.dumps(data, default=self._serialize_message).encode()
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            request_id = data.get("id") if isinstance(data, dict) else getattr(data, "id", None)
            logger.error("A message cannot be encoded: %s", error)
            if request_id is None or getattr(data, "method", None) is not None:
                return
            text = "The answer cannot be encoded."
            body = json.dumps(_error(request_id, JsonRpcInternalError.CODE, text)).encode()
        self._write(body)

    def _write(self, body: bytes) -> None:
        assert self.writer is not None
        self.writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    # -- messages that pygls handles otherwise ----------------------------------------------------------------------

    def _passed_on(self, method: str, params: Any) -> Handled:
        handler = self.fm.features.get(method)
        if handler is not None:
            yield handler, (params,), None

    @lsp_method(lsp.INITIALIZE)
    def lsp_initialize(self, params: lsp.InitializeParams) -> Handled:
        """As `fast_initialize` answers it."""
        yield from super().lsp_initialize(params)
        return initialize_result(self._converter.unstructure(params))

    @lsp_method(lsp.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: lsp.DidOpenTextDocumentParams) -> Handled:
        yield from self._passed_on(lsp.TEXT_DOCUMENT_DID_OPEN, params)

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: lsp.DidChangeTextDocumentParams) -> Handled:
        yield from self._passed_on(lsp.TEXT_DOCUMENT_DID_CHANGE, params)

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: lsp.DidCloseTextDocumentParams) -> Handled:
        yield from self._passed_on(lsp.TEXT_DOCUMENT_DID_CLOSE, params)

    @lsp_method(lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def lsp_workspace__did_change_workspace_folders(self, params: lsp.DidChangeWorkspaceFoldersParams) -> Handled:
        yield from self._passed_on(lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, params)

    @lsp_method(lsp.WINDOW_WORK_DONE_PROGRESS_CANCEL)
    def lsp_work_done_progress_cancel(self, params: lsp.WorkDoneProgressCancelParams) -> Handled:
        yield from self._passed_on(lsp.WINDOW_WORK_DONE_PROGRESS_CANCEL, params)

    @lsp_method(lsp.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(self, params: lsp.ExecuteCommandParams) -> Any:  # type: ignore[override]
        """As a coroutine, so that a command can be cancelled; arguments are checked by the commands."""
        command = self.fm.commands.get(params.command)
        if command is None:
            raise JsonRpcMethodNotFound(message=f"There is no command {params.command}.")
        return await command(params.arguments or [])

    @lsp_method(lsp.EXIT)
    def lsp_exit(self, *_: Any) -> None:  # type: ignore[override]
        self.on_exit(0 if self._shutdown else 1)


def _essential(params: Any) -> dict[str, Any]:
    """What can be used of an `initialize` whose parameters are not those of the protocol."""
    kept: dict[str, Any] = {"capabilities": {}, "processId": None, "rootUri": None}
    if isinstance(params, dict):
        if isinstance(root := params.get("rootUri"), str):
            kept["rootUri"] = root
        kept["initializationOptions"] = params.get("initializationOptions")
    return kept


def _error(request_id: Any, code: int, text: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": text}}
