"""What would be left out as a file is left out as a buffer, and never shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.encoders import OverlapEncoder
from retrieval.engine import FileLimits, Workspace
from retrieval.types import SearchRequest

CODE = "def bake_a_cake(oven):\n    return oven.heat()\n"
KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + 8 * f"{'MIIEowIBAAKCAQEA' * 4}\n" + "-----END RSA PRIVATE KEY-----\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    root = tmp_path / "project"
    root.mkdir()
    (root / ".gitignore").write_text("build/\n*.log\n")
    (root / "kept.py").write_text("def kept():\n    return 1\n")
    with Workspace.open(
        root, encoder=OverlapEncoder(), cache_dir=tmp_path / "cache", limits=FileLimits(max_bytes=5_000)
    ) as opened:
        opened.refresh()
        yield opened


def found(workspace: Workspace) -> set[str]:
    return {
        hit.chunk.path
        for hit in workspace.search(SearchRequest("bake a cake in the oven", limit=5)).hits
        if "bake" in hit.text
    }


def test_a_buffer_is_found(workspace: Workspace) -> None:
    workspace.set_buffer("new.py", CODE)
    assert found(workspace) == {"new.py"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("build/out.py", CODE),
        ("bake.log", CODE),
        (".env", "BAKE=cake in the oven"),
        ("key.txt", KEY + CODE),
        ("big.py", CODE * 200),
        ("data.py", CODE + "\0"),
        (".git/bake.py", CODE),
    ],
)
def test_a_buffer_that_would_be_no_indexed_file_is_not_found(workspace: Workspace, path: str, text: str) -> None:
    assert workspace.set_buffer(path, text) == 0
    assert found(workspace) == set()


def test_a_file_whose_buffer_has_grown_too_large_is_not_found_either(workspace: Workspace) -> None:
    workspace.set_buffer("new.py", CODE)
    workspace.set_buffer("new.py", CODE * 200)
    assert found(workspace) == set()
