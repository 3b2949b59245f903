"""A scripted server for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.llm.running import ScriptedServer, scripted_server


@pytest.fixture(scope="session")
def running_server() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        yield server


@pytest.fixture
def server(running_server: ScriptedServer) -> ScriptedServer:
    """The server, which has forgotten what was asked before."""
    running_server.asked()
    return running_server
