"""The answer to `initialize`, before anything heavy is imported.

An editor waits for this answer, and the types of all of LSP's messages alone take longer to import than it should wait.
So the capabilities are stated here, in plain JSON and in one place; a test compares them with the handlers that exist.
"""

from __future__ import annotations

import json
import re
from typing import Any, BinaryIO

from c2llm_lsp import __version__

VERSION = 1  # of our own requests; `protocol` has their types
METHODS = (
    "c2llm/context",
    "c2llm/explain",
    "c2llm/outline",
    "c2llm/search",
    "c2llm/similar",
    "c2llm/status",
    "c2llm/statusChanged",
    "c2llm/symbol",
)
FIND_SIMILAR, COPY_CONTEXT = "c2llm.server.similar", "c2llm.server.context"
COMMANDS = (FIND_SIMILAR, COPY_CONTEXT, "c2llm.server.search", "c2llm.server.reindex", "c2llm.server.status")
CODE_ACTION_KINDS = ("refactor.c2llm.similar", "refactor.c2llm.context")
ENCODINGS = ("utf-8", "utf-16", "utf-32")
MAX_GREETING = 16 * 1024 * 1024  # bytes
INCREMENTAL = 2  # TextDocumentSyncKind
MAX_NESTING = (
    64  # levels of a message; those of LSP have less than 20, and some code behind recurses several frames a level
)
_LENGTH = re.compile(rb"content-length[ \t]*:[ \t]*([0-9]{1,11})[ \t]*\r?\n?\Z", re.IGNORECASE)
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)  # one without an end is matched too: linear
_BRACKET = re.compile(rb"[\[{\]}]")


def encoding(client: dict[str, Any]) -> str:
    """The first position encoding of the client's list that is known; UTF-16 where it names none (LSP 3.17)."""
    offered = _get(client, "general", "positionEncodings")
    return next((name for name in offered if name in ENCODINGS), "utf-16") if isinstance(offered, list) else "utf-16"


def initialize_result(params: Any) -> dict[str, Any]:
    """What the server can do, for a client that can do this."""
    client = _get(params, "capabilities")
    kinds_known = _get(client, "textDocument", "codeAction", "codeActionLiteralSupport") is not None
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


def content_length(line: bytes) -> int | None:
    """The length that a line says, None where it says none.

    It may stand behind the rest of a message whose own length was too small: so a conversation finds itself again.
    """
    found = _LENGTH.search(line)
    return int(found.group(1)) if found else None


def too_deep(body: bytes) -> bool:
    """Whether JSON is nested deeper than `MAX_NESTING`; judged without decoding it."""
    if body.count(b"[") + body.count(b"{") <= MAX_NESTING:
        return False
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_NESTING:
            return True
    return False


def greet(source: BinaryIO, out: BinaryIO) -> tuple[bytes, bool]:
    """Read the first message and answer it if it is a plain `initialize`: its body, and whether it was answered.

    Whatever else came is for the server to judge. An empty body is the end of the stream.
    """
    body = _first_body(source)
    if too_deep(body):
        return body, False
    try:
        message = json.loads(body)
        request_id, method, params = message["id"], message["method"], message["params"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return body, False
    if (
        method != "initialize"
        or not isinstance(request_id, (int, str))
        or not isinstance(_get(params, "capabilities"), dict)
    ):
        return body, False
    answer = json.dumps({"jsonrpc": "2.0", "id": request_id, "result": initialize_result(params)}).encode()
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


def _get(table: Any, *names: str) -> Any:
    for name in names:
        table = table.get(name) if isinstance(table, dict) else None
    return table
