"""Messages that no client should send, between those that every client sends. The server answers, stays the same size, and ends as
it should; killed (-9), it leaves no process behind.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import psutil

from tests.cli.conftest import PROJECT
from tests.cli.program import lay_out
from tests.patience import PATIENCE
from tests.server.client import Client, framed, started
from tests.server.editing import SERVE

MESSAGES = 150
METHODS = [
    "initialize", "initialized", "shutdown_", "textDocument/didOpen", "textDocument/didChange", "textDocument/didClose",
    "textDocument/didSave", "textDocument/codeAction", "workspace/symbol", "workspace/executeCommand", "c2llm/search",
    "c2llm/similar", "c2llm/context", "c2llm/status", "c2llm/explain", "workspace/didChangeWatchedFiles", "$/cancelRequest",
    "workspace/didChangeConfiguration", "window/workDoneProgress/cancel", "$/unknown", "",
]  # fmt: skip


def attack(dice: random.Random, folder: Path) -> dict[str, int]:
    root = lay_out(folder / "project", PROJECT)
    client = started(SERVE, folder / "home")
    try:
        client.initialize(root)
        client.ready()
        process = psutil.Process(client.process.pid)
        size = process.num_fds(), process.num_threads()
        for _ in range(MESSAGES):
            client.raw(random_message(dice, root))
        assert client.status()["version"]
        client.eventually(lambda: client.status()["folders"][0]["state"] == "ready")
        assert client.finds("apply_ignore_rules", "app/ignore.py")
        assert process.num_fds() <= size[0] + 12, process.open_files()
        assert process.num_threads() <= size[1] + 12
        assert "Traceback" not in client.log, client.log[-3_000:]
        end(dice, client, process)
    finally:
        client.dispose()
    return {"messages": MESSAGES}


def end(dice: random.Random, client: Client, process: psutil.Process) -> None:
    children = process.children(recursive=True)
    if dice.random() < 0.5:
        client.leave()
    else:
        client.kill()
    assert psutil.wait_procs(children, timeout=PATIENCE)[1] == []


def random_message(dice: random.Random, root: Path) -> bytes:
    if dice.random() < 0.1:
        return dice.choice(
            [b"\r\n", b"GET / HTTP/1.1\r\n\r\n", b"Content-Length: x\r\n\r\n", dice.randbytes(20) + b"\r\n"]
        )
    if dice.random() < 0.1:
        return framed(bytes(dice.choices(b'{}[]",:0123456789truefalsenull\\\xff ', k=dice.randint(0, 300))))
    message: dict[str, Any] = {"jsonrpc": "2.0", "method": dice.choice(METHODS), "params": random_value(dice, root, 0)}
    if dice.random() < 0.5:
        message["id"] = dice.choice(
            [f"r{dice.randrange(1 << 30)}", -dice.randrange(1, 1 << 20), None, 1.5, [], "é\ud800"]
        )
    if dice.random() < 0.1:
        message.pop(dice.choice(sorted(message)))
    return framed(json.dumps(message).encode())


def random_value(dice: random.Random, root: Path, depth: int) -> Any:
    """Something like the parameters of a message, with wrong types here and there."""
    uri = dice.choice(
        [f"{root.as_uri()}/app/ignore.py", f"{root.as_uri()}/../x.py", "file:///etc/passwd", "untitled:1", "", 7]
    )
    position = {"line": dice.choice([0, 1, -1, 1 << 40, "1"]), "character": dice.choice([0, 3, -2, 1 << 33, None])}
    simple: list[Any] = [
        None,
        True,
        -1,
        1e308,
        1 << 70,
        "",
        "x" * dice.randrange(3_000),
        "\ud83d",
        "\u202e\x1b[31m",
        uri,
        [],
    ]
    if depth > 3 or dice.random() < 0.2:
        return dice.choice(simple)
    table: dict[str, Any] = {
        "textDocument": {
            "uri": uri,
            "version": dice.choice([1, -5, None]),
            "languageId": "python",
            "text": "x = 1\n" * 9,
        },
        "position": position,
        "range": {"start": position, "end": position},
        "contentChanges": [{"text": "y"}, {"range": {"start": position, "end": position}, "text": "z"}],
        "query": dice.choice(simple),
        "limit": dice.choice([0, -1, 5, 1 << 40, "5"]),
        "paths": dice.choice([["**/**/**/*"], "*", [3]]),
        "path": uri,
        "changes": [{"uri": uri, "type": dice.choice([1, 2, 3, 9])}],
        "command": dice.choice(["c2llm.server.reindex", "c2llm.server.none", 5]),
        "arguments": [random_value(dice, root, depth + 1)],
        "settings": {"c2llm": random_value(dice, root, depth + 1)},
        "id": dice.choice([1, "r1", None]),
    }
    return {name: value for name, value in table.items() if dice.random() < 0.7}
