"""`c2llm mcp --http`: one process, several projects, many clients of the SDK at once, and nobody without the token."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

from tests.cli.conftest import PROJECT
from tests.cli.program import Program, lay_out
from tests.mcp.calls import CALLS, QUESTION, WRONG
from tests.patience import PATIENCE

mcp = pytest.importorskip("mcp", reason="the extra 'mcp' is not installed")

import httpx2  # noqa: E402
from mcp.client.streamable_http import streamable_http_client  # noqa: E402

T = TypeVar("T")
CLIENTS = 8
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


class Server:
    def __init__(self, url: str, token: str, pid: int) -> None:
        self.url, self.token, self.pid = url, token, pid

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    def talk(self, *conversations: Callable[[Any], Awaitable[T]], mode: str = "auto") -> list[T]:
        """What conversations come to that take place at the same time, each with a client of its own."""

        async def one(conversation: Callable[[Any], Awaitable[T]]) -> T:
            async with (
                httpx2.AsyncClient(headers=self.headers, timeout=PATIENCE) as http,
                mcp.Client(streamable_http_client(self.url, http_client=http), mode=mode) as client,
            ):
                return await conversation(client)

        async def all_of_them() -> list[T]:
            return await asyncio.gather(*map(one, conversations))

        return asyncio.run(asyncio.wait_for(all_of_them(), PATIENCE))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of two projects."""
    program = Program(tmp_path_factory.mktemp("home"))
    roots = [lay_out(tmp_path_factory.mktemp("both") / name, PROJECT) for name in ("one", "two")]
    process = program.start("mcp", "--http", "0", *roots)
    assert process.stdout
    try:
        told = json.loads(process.stdout.readline())
        yield Server(told["url"], told["token"], process.pid)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
        assert "Traceback" not in err
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_many_clients_get_each_their_answers(server: Server, mode: str) -> None:
    async def conversation(client: Any) -> tuple[int, str]:
        tools = (await client.list_tools()).tools
        found = await client.call_tool("search", {"query": QUESTION, "workspace": "two", "wait_seconds": 60})
        return len(tools), found.meta["c2llm/answer"]["results"][0]["path"]

    answers = server.talk(*[conversation] * CLIENTS, mode=mode)
    assert set(answers) == {(5, "app/ignore.py")}


@pytest.mark.slow
def test_each_tool_and_each_error_for_clients_that_ask_at_the_same_time(server: Server) -> None:
    async def conversation(client: Any) -> list[str]:
        answers = [
            await client.call_tool(tool, {**given, "workspace": "one"})
            for tool, given in [*CALLS.values(), *((tool, given) for tool, given, _ in WRONG)]
        ]
        assert not any(answer.is_error for answer in answers[: len(CALLS)])
        assert all(answer.is_error for answer in answers[len(CALLS) :])
        return [answer.content[0].text for answer in answers]

    for texts in server.talk(*[conversation] * CLIENTS):
        assert all(f"Index: {len(PROJECT)} files" in text for text in texts[: len(CALLS)])
        for (tool, given, said), text in zip(WRONG, texts[len(CALLS) :], strict=True):
            assert said in text, (tool, given)


def test_several_questions_and_only_places(server: Server) -> None:
    async def conversation(client: Any) -> Any:
        asked = {"query": [QUESTION, "queue of jobs"], "snippet_lines": 0, "workspace": "one", "wait_seconds": 60}
        return await client.call_tool("search", asked)

    (answer,) = server.talk(conversation)
    text = answer.content[0].text
    assert "# `ignore rule excludes the path`" in text
    assert "- `app/ignore.py:" in text
    assert "```" not in text
    assert len(answer.meta["c2llm/answer"]["answers"]) == 2


def test_one_of_several_projects_has_to_be_named(server: Server) -> None:
    async def conversation(client: Any) -> list[Any]:
        calls: list[dict[str, Any]] = [
            {"query": "x"},
            {"query": "x", "workspace": "/etc"},
            {"query": [], "workspace": "one"},
        ]
        return [await client.call_tool("search", call) for call in calls]

    (answers,) = server.talk(conversation)
    said = [answer.content[0].text for answer in answers]
    assert all(answer.is_error for answer in answers)
    assert said[0].startswith("Give workspace: ")
    assert said[1].startswith("There is no workspace /etc: give one of")
    assert said[2] == "Give 1 to 10 queries."


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"authorization": ""}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": "Basic TOKEN"}, 401),
        ({"host": "evil.example"}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
def test_who_may_not_ask_gets_no_answer(server: Server, headers: dict[str, str], code: int) -> None:
    headers = {name: value.replace("TOKEN", server.token) for name, value in headers.items()}
    accept = {"accept": "application/json, text/event-stream"}
    answer = httpx2.post(server.url, json=PING, headers={**server.headers, **accept, **headers}, timeout=PATIENCE)
    assert answer.status_code == code


@pytest.mark.skipif(sys.platform != "linux", reason="sets the limit of another process")
def test_a_burst_of_connections_takes_neither_all_descriptors_nor_the_server(server: Server) -> None:
    psutil.Process(server.pid).rlimit(psutil.RLIMIT_NOFILE, (512, 512))
    host, _, port = server.url.split("/")[2].partition(":")
    with ExitStack() as stack:
        for _ in range(600):
            stack.enter_context(socket.create_connection((host, int(port)), timeout=PATIENCE)).sendall(b"GET / HT")
    codes = set[int]()
    for _ in range(600):  # until those of before are seen to have ended
        with suppress(httpx2.TransportError):
            codes.add(httpx2.get(server.url, timeout=PATIENCE).status_code)
            break
    assert codes == {401}


def test_a_port_that_is_taken_is_a_sentence(server: Server, tmp_path: Path) -> None:
    port = server.url.rsplit(":", 1)[1].partition("/")[0]
    project = lay_out(tmp_path / "p", PROJECT)
    result = Program(tmp_path)("mcp", "--http", port, project)
    assert result.code == 2
    assert f"Cannot serve on port {port}" in result.err
