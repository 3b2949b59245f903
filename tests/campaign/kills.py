"""Indexers that are killed (-9), several at once on one cache. Nothing is lost, and only what is missing is embedded."""

from __future__ import annotations

import random
import time
from pathlib import Path

from retrieval.engine import Workspace
from tests.engine.indexed import CountingEncoder, check_equals_fresh, write_project
from tests.indexing.test_crash import Child


def attack(dice: random.Random, folder: Path) -> dict[str, int]:
    root, cache = folder / "root", folder / "cache"
    write_project(root, dice.randint(10, 30))
    kills = writers = 0
    for _ in range(dice.randint(1, 3)):
        if dice.random() < 0.5:
            kills += step_and_kill(dice, root, cache)
            writers += 1
        else:
            count = dice.randint(2, 4)
            kills += run_and_kill(dice, root, cache, count)
            writers += count
        (root / f"more_{dice.randrange(3)}.py").write_text(f"def more():\n    return {dice.randrange(1_000)}\n")
    with Workspace.open(root, encoder=CountingEncoder(), cache_dir=cache) as workspace:
        assert not workspace.store.notes
        workspace.refresh(wait=60)
        check_equals_fresh(workspace, folder / "fresh")
    return {"kills": kills, "writers": writers}


def step_and_kill(dice: random.Random, root: Path, cache: Path) -> int:
    """One that stops before and after each batch is killed somewhere."""
    child = Child(root, cache, "step")
    for _ in range(dice.randrange(30)):
        child.go()
        if child.line() == "done":
            break
    else:
        child.go()
    child.kill()
    return 1


def run_and_kill(dice: random.Random, root: Path, cache: Path, count: int) -> int:
    """Several run at once; all but one are killed at some moment."""
    children = [Child(root, cache) for _ in range(count)]
    for child in children:
        child.go()
    for child in children[1:]:
        time.sleep(dice.random() * 0.4)
        child.kill()
    children[0].finish()
    return count - 1
