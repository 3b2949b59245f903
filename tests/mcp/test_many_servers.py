"""Eight assistants at once, each with a server of its own on one workspace: all are answered, and their memory is bounded."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import PROJECT
from tests.cli.program import Program, lay_out
from tests.patience import PATIENCE

mcp = pytest.importorskip("mcp", reason="the extra 'mcp' is not installed")

CLIENTS = 8
MAX_MEGABYTES = 180  # of a server, with the model and the index: measured 120 to 140, of which 50 are the SDK's
CALL = {"query": "ignore rule excludes the path", "limit": 1, "wait_seconds": 60}


def servers(root: Path) -> list[Path]:
    """The folders of their processes in /proc."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has ended
            continue
        if b"mcp" in words and str(root).encode() in words:
            found.append(folder)
    return found


def megabytes(process: Path) -> float:
    """What it shares with others counts by its share (PSS)."""
    lines = (process / "smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_eight_servers_of_one_workspace_answer_within_their_memory(tmp_path: Path) -> None:
    """None is forked from a process of the tests, whose memory it would share."""
    program = Program(tmp_path / "home", encoder="embedded")
    program.home.mkdir()
    root = lay_out(tmp_path / "project", PROJECT)
    command, *arguments = program.command("mcp", root)
    started = mcp.StdioServerParameters(command=command, args=arguments, env=program.environment())
    answered = asyncio.Semaphore(0)

    async def one(measured: asyncio.Event) -> str:
        async with mcp.Client(mcp.stdio_client(started)) as client:
            answer: Any = await client.call_tool("search", CALL)
            answered.release()
            await measured.wait()
            return str(answer.meta["c2llm/answer"]["results"][0]["path"])

    async def all_of_them() -> tuple[list[str], list[float]]:
        measured = asyncio.Event()
        tasks = [asyncio.ensure_future(one(measured)) for _ in range(CLIENTS)]
        for _ in tasks:
            await answered.acquire()
        sizes = [megabytes(process) for process in servers(root)]
        measured.set()
        return await asyncio.gather(*tasks), sizes

    paths, sizes = asyncio.run(asyncio.wait_for(all_of_them(), PATIENCE))
    assert paths == ["app/ignore.py"] * CLIENTS
    assert len(sizes) == CLIENTS
    assert sum(sizes) <= CLIENTS * MAX_MEGABYTES, sizes
