"""Servers for tests: one process for the tests of a module that each bring a folder of their own, or one for each test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import PROJECT
from tests.cli.program import lay_out
from tests.server.client import Client, started
from tests.server.editing import SERVE, Faults, Opened, Serve, enter


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "project", PROJECT)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def serve(home: Path) -> Iterator[Serve]:
    """Starts servers with one home; they end with the test."""
    running: list[Client] = []

    def start(*options: str, **environ: Any) -> Client:
        running.append(started([*SERVE, *options], home, **environ))
        return running[-1]

    yield start
    for client in running:
        client.dispose()


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    folder = tmp_path / "faults"
    folder.mkdir()
    return Faults(folder)


@pytest.fixture
def serve_faulty(home: Path, faults: Faults) -> Iterator[Serve]:
    """Starts servers whose encoder obeys `faults`."""
    running: list[Client] = []

    def start(*options: str, **environ: Any) -> Client:
        command = [sys.executable, "-m", "tests.server.fault_injection", str(faults.folder), "serve", *options]
        running.append(started(command, home, **environ))
        return running[-1]

    yield start
    for client in running:
        client.dispose()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One server for a module, with no folder open; it must live through all of the module's tests."""
    client = started(SERVE, tmp_path_factory.mktemp("shared"))
    client.initialize(can={"workspace": {"workspaceFolders": True}}, encodings=("utf-8",))
    yield client
    try:
        client.leave()
    finally:
        client.dispose()


@pytest.fixture
def opened(shared: Client, project: Path) -> Iterator[Opened]:
    """The project, open and indexed in the module's server."""
    folder = enter(shared, project)
    folder.settled()
    yield folder
    folder.settled()  # what one test leaves to be embedded must not be counted by the next
    folder.leave()
