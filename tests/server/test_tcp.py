"""`c2llm serve --tcp`: on this machine only, for one client, and only for one that knows the token."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from c2llm_lsp.server.transport import admission
from tests.patience import PATIENCE
from tests.server.client import Connection, framed, started
from tests.server.editing import SERVE

TOKEN = "token-of-the-test"


class Served:
    """A server on a port that the system chose."""

    def __init__(self, home: Path, **environ: str) -> None:
        self.client = started([*SERVE, "--tcp", "0"], home, **environ)
        self.sockets: list[socket.socket] = []
        try:
            self.client.eventually(lambda: self.client.lines)
        except AssertionError:
            self.dispose()
            raise
        self.announced = json.loads(self.client.lines[0])

    def connect(self) -> Connection:
        connected = socket.create_connection(("127.0.0.1", self.announced["port"]), timeout=PATIENCE)
        self.sockets.append(connected)
        file = connected.makefile("rwb")
        return Connection(file, file)  # type: ignore[arg-type]

    def dispose(self) -> None:
        for connected in self.sockets:
            connected.close()
        self.client.dispose()


@pytest.fixture
def served(home: Path) -> Iterator[Served]:
    server = Served(home, C2LLM_TOKEN=TOKEN)
    yield server
    server.dispose()


def initialize(token: Any, root: Path | None = None) -> Any:
    options = {} if token is None else {"token": token}
    uri = root.as_uri() if root else None
    return {"processId": None, "rootUri": uri, "capabilities": {}, "initializationOptions": options}


def test_with_the_token_it_serves_and_ends_as_over_stdio(served: Served, project: Path) -> None:
    assert served.announced == {"host": "127.0.0.1", "port": served.announced["port"]}
    client = served.connect()
    assert client.ask("initialize", initialize(TOKEN, project))["capabilities"]
    client.notify("initialized", {})
    client.eventually(lambda: client.ask("c2llm/status", {})["folders"][0]["state"] == "ready")
    answer = client.ask("c2llm/search", {"query": "apply_ignore_rules"})
    assert answer["hits"][0]["path"] == "app/ignore.py"
    assert client.ask("shutdown") is None
    client.notify("exit")
    assert served.client.process.wait(PATIENCE) == 0


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN + "x", 5, ["token"]])
def test_without_the_token_it_hangs_up_and_waits_for_one_who_has_it(served: Served, token: Any) -> None:
    stranger = served.connect()
    stranger.start("initialize", initialize(token))
    stranger.eventually(lambda: stranger.ended)
    assert not stranger.answered(1)
    client = served.connect()
    assert client.ask("initialize", initialize(TOKEN))["capabilities"]


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", framed(b"[]"), framed({"id": 1})])
def test_strangers_who_say_something_else_learn_nothing(served: Served, first: bytes) -> None:
    stranger = served.connect()
    stranger.raw(first)
    client = served.connect()
    assert client.ask("initialize", initialize(TOKEN))["capabilities"]
    assert client.ask("c2llm/status", {})["folders"] == []
    assert not stranger.said


def test_nothing_of_a_long_first_message_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the token a connection costs no memory: its length is enough to end it."""
    monkeypatch.setattr(admission, "TOKEN_SECONDS", None)

    async def told() -> bytes | None:
        stream = asyncio.StreamReader()
        stream.feed_data(b"Content-Length: %d\r\n\r\n" % (admission.MAX_FIRST_MESSAGE + 1))
        return await asyncio.wait_for(admission.first_message(stream, TOKEN.encode()), PATIENCE)

    assert asyncio.run(told()) is None


def test_many_connections_that_say_nothing_keep_nobody_out(served: Served) -> None:
    silent = [served.connect() for _ in range(admission.MAX_WAITING + 10)]
    silent[0].eventually(lambda: silent[0].ended)  # so many are not kept
    client = served.connect()
    assert client.ask("initialize", initialize(TOKEN))["capabilities"]
    silent[-1].eventually(lambda: silent[-1].ended)


def test_there_is_one_client_at_a_time(served: Served) -> None:
    client = served.connect()
    assert client.ask("initialize", initialize(TOKEN))["capabilities"]
    with pytest.raises((ConnectionError, AssertionError, TimeoutError)):
        served.connect().ask("initialize", initialize(TOKEN))
    assert client.ask("c2llm/status", {})["version"]


def test_a_client_that_hangs_up_ends_it_with_code_1(served: Served, project: Path) -> None:
    client = served.connect()
    client.ask("initialize", initialize(TOKEN, project))
    for connected in served.sockets:
        connected.shutdown(socket.SHUT_RDWR)
    assert served.client.process.wait(PATIENCE) == 1


def test_without_a_token_in_the_environment_it_makes_one(home: Path) -> None:
    server = Served(home)
    try:
        assert len(server.announced["token"]) >= 24
        client = server.connect()
        assert client.ask("initialize", initialize(server.announced["token"]))["capabilities"]
    finally:
        server.dispose()


def test_only_this_machine_can_connect(served: Served) -> None:
    listening = Path("/proc/net/tcp").read_text() if sys.platform == "linux" else ""
    if not listening:
        pytest.skip("no /proc here")
    port = f":{served.announced['port']:04X}"
    addresses = [line.split()[1] for line in listening.splitlines()[1:] if line.split()[1].endswith(port)]
    assert addresses
    assert all(address.startswith("0100007F") for address in addresses)


def test_a_port_in_use_is_one_plain_sentence(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        client = started([*SERVE, "--tcp", str(taken.getsockname()[1])], home)
        try:
            assert client.process.wait(PATIENCE) == 2
            assert str(taken.getsockname()[1]) in client.log
            assert "Traceback" not in client.log
        finally:
            client.dispose()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell that a parent has ended")
def test_a_server_that_nobody_has_reached_ends_with_who_started_it(home: Path) -> None:
    starter = (
        "import subprocess, sys; server = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE);"
        "print(server.pid, server.stdout.readline().decode(), flush=True); sys.stdin.read()"
    )
    environ = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    parent = subprocess.Popen(
        [sys.executable, "-c", starter, *SERVE, "--tcp", "0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environ,
    )
    assert parent.stdout is not None
    server = psutil.Process(int(parent.stdout.readline().split()[0]))
    parent.communicate("")
    assert psutil.wait_procs([server], timeout=PATIENCE)[0], "it outlived who started it"
