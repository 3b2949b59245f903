"""Damage at any page of any file of the cache, before or while a workspace is open. Answers equal those of a fresh index.

Pages of index.db that change places, and the end of a file that is cut off while it is open, which SQLite reads as zeros, are
what a query may not notice: it is found at the next quiet moment.
"""

from __future__ import annotations

import random
from pathlib import Path

from retrieval.engine import Workspace
from retrieval.engine.verification import FILES_KEY, PAGES_KEY
from retrieval.errors import DamagedStoreError
from tests.engine.indexed import CountingEncoder, check_equals_fresh, write_project

PAGE = 4096
QUERY = "send request"


def attack(dice: random.Random, folder: Path) -> dict[str, int]:
    root, cache = folder / "root", folder / "cache"
    write_project(root, dice.randint(2, 8))
    with opened(root, cache) as workspace:
        workspace.refresh()
        expected = hits(workspace)
        workspace.store.checkpoint()
        if early := dice.random() < 0.3:
            silent = spoil(dice, cache)
            if not silent:
                answers(workspace, expected)
    if not early:
        silent = spoil(dice, cache)
    with opened(root, cache) as workspace:
        workspace.refresh()
        if silent or dice.random() < 0.3:
            workspace.store.meta.set(**{PAGES_KEY: 0, FILES_KEY: 0})  # a day has passed
            workspace.verifier.run()
            workspace.refresh()
        answers(workspace, expected)
        if dice.random() < 0.5:
            (root / "late.py").write_text(f"def late_{dice.randrange(100)}():\n    return 1\n")
        workspace.refresh()
        assert len(set(workspace.store.notes)) <= 2, workspace.store.notes
        try:
            check_equals_fresh(workspace, folder / "fresh")
        except DamagedStoreError:  # a page that no query has met so far
            workspace.writer.repair(workspace.store)
            workspace.refresh()
            check_equals_fresh(workspace, folder / "fresh-again")
    return {"damages": 1}


def opened(root: Path, cache: Path) -> Workspace:
    return Workspace.open(root, encoder=CountingEncoder(), cache_dir=cache)


def hits(workspace: Workspace) -> list[tuple[str, int]]:
    return [(hit.chunk.path, hit.chunk.start_line) for hit in workspace.search(QUERY).hits]


def answers(workspace: Workspace, expected: list[tuple[str, int]]) -> None:
    """The answer is right, or says that it may not be."""
    answer = workspace.search(QUERY)
    given = [(hit.chunk.path, hit.chunk.start_line) for hit in answer.hits]
    pending = answer.freshness.stale or answer.freshness.pending_chunks
    assert given == expected or pending, (given, expected)


def spoil(dice: random.Random, cache: Path) -> bool:
    """Damage one file of the cache in one way; whether a query may not notice it."""
    files = sorted(path for path in cache.rglob("*") if path.is_file() and path.stat().st_size)
    databases = [path for path in files if path.suffix == ".db"]
    path = dice.choice(databases if dice.random() < 0.8 else files)
    data = bytearray(path.read_bytes())
    page = dice.randrange(max(1, len(data) // PAGE)) * PAGE
    way = dice.choice(["zero", "garbage", "byte", "cut", "swap", "delete"])
    match way:
        case "zero":
            data[page : page + PAGE] = bytes(len(data[page : page + PAGE]))
        case "garbage":
            data[page : page + PAGE] = dice.randbytes(len(data[page : page + PAGE]))
        case "byte":
            data[dice.randrange(min(len(data), 112))] = dice.randrange(256)
        case "cut":
            del data[dice.randrange(len(data)) :]
        case "swap":
            other = dice.randrange(max(1, len(data) // PAGE)) * PAGE
            data[page : page + PAGE], data[other : other + PAGE] = data[other : other + PAGE], data[page : page + PAGE]
        case "delete":
            path.unlink()
            return False
    path.write_bytes(data)
    return way == "cut" or (way == "swap" and path.name.startswith("index.db"))
