"""The answer to `initialize`, before anything heavy is imported.

An editor waits for this answer, and the types of all of LSP's messages alone take longer to import than it should wait.
So the capabilities are said here, in plain JSON and in one place; a test holds them against the handlers that exist.
"""

from __future__ import annotations

import gc
import json
import os
import re
import sys
from typing import Any, BinaryIO

from c2llm_lsp import __version__

VERSION = 1  # of our own requests; `requests` has their types
METHODS = ("c2llm/context", "c2llm/explain", "c2llm/search", "c2llm/similar", "c2llm/status", "c2llm/statusChanged")
FIND_SIMILAR, COPY_CONTEXT = "c2llm.server.similar", "c2llm.server.context"
COMMANDS = (FIND_SIMILAR, COPY_CONTEXT, "c2llm.server.search", "c2llm.server.reindex", "c2llm.server.status")
CODE_ACTION_KINDS = ("refactor.c2llm.similar", "refactor.c2llm.context")
ENCODINGS = ("utf-8", "utf-16", "utf-32")
MAX_GREETING = 16 * 1024 * 1024  # bytes
INCREMENTAL = 2  # TextDocumentSyncKind
_LENGTH = re.compile(rb"content-length[ \t]*:[ \t]*([0-9]{1,11})[ \t]*\r?\n?\Z", re.IGNORECASE)


def encoding(client: dict[str, Any]) -> str:
    """The first position encoding of the client's list that is known; UTF-16 where it names none (LSP 3.17)."""
    offered = _at(client, "general", "positionEncodings")
    return next((name for name in offered if name in ENCODINGS), "utf-16") if isinstance(offered, list) else "utf-16"


def initialize_result(params: Any) -> dict[str, Any]:
    """What the server can do, for a client that can do this."""
    client = _at(params, "capabilities")
    kinds_known = _at(client, "textDocument", "codeAction", "codeActionLiteralSupport") is not None
    return {
        "capabilities": {
            "positionEncoding": encoding(client if isinstance(client, dict) else {}),
            "textDocumentSync": {
                "openClose": True,
                "change": INCREMENTAL,
                "willSave": False,
                "willSaveWaitUntil": False,
                "save": True,
            },
            "workspaceSymbolProvider": True,
            "codeActionProvider": {"codeActionKinds": list(CODE_ACTION_KINDS)} if kinds_known else True,
            "executeCommandProvider": {"commands": list(COMMANDS)},
            "workspace": {"workspaceFolders": {"supported": True, "changeNotifications": True}},
            "experimental": {"c2llm": {"version": VERSION, "methods": list(METHODS)}},
        },
        "serverInfo": {"name": "c2llm", "version": __version__},
    }


def own_streams() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for the protocol alone: what else prints goes to standard error, and children read nothing."""
    source, out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return source, out


def start(log_file: str | None = None, log_level: str = "warning") -> int:
    """Serve one client on standard input and output: greet it, then import the rest. Raises OSError for the log file."""
    source, out = own_streams()
    first, answered = greet(source, out)
    gc.disable()  # until everything is imported: see `_converse`
    from c2llm_lsp.server.run_server import log_to, serve_stdio

    log_to(log_file, log_level)
    return serve_stdio(source, out, first, answered=answered)


def content_length(line: bytes) -> int | None:
    """The length that a line says, None where it says none.

    It may stand behind the rest of a message whose own length was too small: so a conversation finds itself again.
    """
    found = _LENGTH.search(line)
    return int(found.group(1)) if found else None


def greet(source: BinaryIO, out: BinaryIO) -> tuple[bytes, bool]:
    """Read the first message and answer it if it is a plain `initialize`: its body, and whether it was answered.

    Whatever else came is for the server to judge. An empty body is the end of the stream.
    """
    body = _first_body(source)
    try:
        message = json.loads(body)
        asked, method, params = message["id"], message["method"], message["params"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return body, False
    if method != "initialize" or not isinstance(asked, (int, str)) or not isinstance(_at(params, "capabilities"), dict):
        return body, False
    answer = json.dumps({"jsonrpc": "2.0", "id": asked, "result": initialize_result(params)}).encode()
    out.write(b"Content-Length: %d\r\n\r\n" % len(answer) + answer)
    out.flush()
    return body, True


def _first_body(source: BinaryIO) -> bytes:
    length = -1
    while line := source.readline(4096):
        if (found := content_length(line)) is not None:
            length = found
        elif not line.strip() and 0 <= length <= MAX_GREETING:
            return source.read(length)
    return b""


def _at(table: Any, *names: str) -> Any:
    for name in names:
        table = table.get(name) if isinstance(table, dict) else None
    return table
