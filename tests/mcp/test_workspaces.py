"""One server for several projects: which one is meant, and when it is open."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from retrieval.errors import QueryError
from tests.patience import PATIENCE

pytest.importorskip("mcp", reason="the extra 'mcp' is not installed")

from c2llm_lsp.mcp.workspaces import Workspaces


class Opened:
    """A workspace that tells when it is closed."""

    progress = None

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


A, B = Path("/work/a"), Path("/work/b")


def made(
    roots: tuple[Path, ...], open_workspace: Callable[[Path], Any] = lambda _: Opened(), **more: float
) -> Workspaces:
    return Workspaces(roots, open_workspace, **more)


def test_the_only_workspace_need_not_be_named() -> None:
    assert made((A,)).find("", ()) == A
    assert made(()).find("", (B,)) == B, "what the client has open"
    assert made((A,)).find("", (B,)) == A, "not what the client has open, where the server was started with one"


def test_one_of_several_is_named_by_its_path_or_folder() -> None:
    workspaces = made((A, B))
    assert workspaces.find("b", ()) == workspaces.find("/work/b", ()) == B
    with pytest.raises(QueryError, match="Give workspace: /work/a, /work/b"):
        workspaces.find("", ())
    with pytest.raises(QueryError, match="no workspace c: give one of"):
        workspaces.find("c", ())
    with pytest.raises(QueryError, match="No project is open"):
        made(()).find("", ())


def test_a_workspace_is_opened_once_and_closed_when_nobody_has_asked_for_a_while() -> None:
    opened: list[Opened] = []

    def open_workspace(_: Path) -> Opened:
        opened.append(Opened())
        return opened[-1]

    workspaces = made((A,), open_workspace, idle_seconds=0.01)
    with workspaces.use(A) as one, workspaces.use(A) as other:
        assert one is other
        assert not opened[0].closed.is_set()
    assert opened[0].closed.wait(PATIENCE)
    with workspaces.use(A):
        assert len(opened) == 2, "opened again"
    workspaces.close()
    assert opened[1].closed.wait(PATIENCE)
    with pytest.raises(QueryError, match="about to end"), workspaces.use(A):
        pass


def test_a_workspace_that_cannot_be_opened_is_told_to_whoever_asks() -> None:
    def fail(_: Path) -> Opened:
        raise QueryError("no")

    workspaces = made((A,), fail)
    workspaces.open_all()
    for _ in range(2):
        with pytest.raises(QueryError, match="no"), workspaces.use(A):
            pass
