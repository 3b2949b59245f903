"""The messages that the server understands: one file each, and the table of who handles what where.

A handler is a function `(server, params)`: it decodes, calls one part of the server, and encodes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from lsprotocol import types as lsp

from c2llm_lsp.server import protocol
from c2llm_lsp.server.handlers.code_action import code_action
from c2llm_lsp.server.handlers.context import context
from c2llm_lsp.server.handlers.did_change import did_change
from c2llm_lsp.server.handlers.did_change_configuration import did_change_configuration
from c2llm_lsp.server.handlers.did_change_watched_files import did_change_watched_files
from c2llm_lsp.server.handlers.did_change_workspace_folders import did_change_workspace_folders
from c2llm_lsp.server.handlers.did_close import did_close
from c2llm_lsp.server.handlers.did_open import did_open
from c2llm_lsp.server.handlers.did_save import did_save
from c2llm_lsp.server.handlers.explain import explain
from c2llm_lsp.server.handlers.initialize import initialize
from c2llm_lsp.server.handlers.initialized import initialized
from c2llm_lsp.server.handlers.outline import outline
from c2llm_lsp.server.handlers.search import search
from c2llm_lsp.server.handlers.shutdown import shutdown
from c2llm_lsp.server.handlers.similar import similar
from c2llm_lsp.server.handlers.status import status
from c2llm_lsp.server.handlers.symbol import symbol
from c2llm_lsp.server.handlers.work_done_progress_cancel import work_done_progress_cancel
from c2llm_lsp.server.handlers.workspace_symbol import workspace_symbol

# Where a handler runs, which says where it may block:
#   loop       on the thread that reads messages; it must not block
#   coroutine  there too; what blocks it awaits, mostly on the threads for queries
#   worker     on a thread beside it, in the order of the messages; it may block
Runs = Literal["loop", "coroutine", "worker"]


@dataclass(frozen=True, slots=True)
class Handler:
    method: str
    function: Callable[[Any, Any], Any]
    runs: Runs
    params: type[protocol.ProtocolType] | None = None  # of own requests, whose parameters are decoded by us


HANDLERS = (
    Handler(lsp.INITIALIZE, initialize, "loop"),
    Handler(lsp.INITIALIZED, initialized, "coroutine"),
    Handler(lsp.SHUTDOWN, shutdown, "coroutine"),
    Handler(lsp.WINDOW_WORK_DONE_PROGRESS_CANCEL, work_done_progress_cancel, "loop"),
    Handler(lsp.TEXT_DOCUMENT_DID_OPEN, did_open, "loop"),
    Handler(lsp.TEXT_DOCUMENT_DID_CHANGE, did_change, "loop"),
    Handler(lsp.TEXT_DOCUMENT_DID_SAVE, did_save, "loop"),
    Handler(lsp.TEXT_DOCUMENT_DID_CLOSE, did_close, "loop"),
    Handler(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION, did_change_configuration, "coroutine"),
    Handler(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, did_change_watched_files, "worker"),
    Handler(lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, did_change_workspace_folders, "loop"),
    Handler(lsp.TEXT_DOCUMENT_CODE_ACTION, code_action, "loop"),
    Handler(lsp.WORKSPACE_SYMBOL, workspace_symbol, "coroutine"),
    Handler(protocol.SEARCH, search, "coroutine", protocol.SearchParams),
    Handler(protocol.SIMILAR, similar, "coroutine", protocol.SimilarParams),
    Handler(protocol.CONTEXT, context, "coroutine", protocol.ContextParams),
    Handler(protocol.SYMBOL, symbol, "coroutine", protocol.SymbolParams),
    Handler(protocol.OUTLINE, outline, "coroutine", protocol.OutlineParams),
    Handler(protocol.EXPLAIN, explain, "coroutine", protocol.ExplainParams),
    Handler(protocol.STATUS, status, "coroutine", protocol.StatusParams),
)
