"""A page of a database that the disk has lost for good: its reads always fail. What else is there answers, what was lost is
made again, and it is said once.
"""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
from pathlib import Path

from retrieval.engine import Workspace
from retrieval.engine.verification import PAGES_KEY
from retrieval.store import bad_blocks
from tests.campaign.disk import ROOT
from tests.engine.indexed import CountingEncoder, check_equals_fresh, rows_of, write_project
from tests.faults.disk_faults import Fault, failing, preload

PAGE = 4096


def attack(dice: random.Random, folder: Path) -> dict[str, int]:
    root, cache = folder / "root", folder / "cache"
    write_project(root, dice.randint(2, 6))
    environment = {**os.environ, **preload(folder), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.campaign.sectors", str(root), str(cache), str(dice.randrange(1 << 30))]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]
    with Workspace.open(root, encoder=CountingEncoder(), cache_dir=cache) as workspace:
        workspace.refresh()
        check_equals_fresh(workspace, folder / "fresh")
    return {"lost pages": 1}


def opened(root: Path, cache: Path) -> Workspace:
    return Workspace.open(root, encoder=CountingEncoder(), cache_dir=cache)


def lose_a_page(dice: random.Random, root: Path, cache: Path) -> None:
    with opened(root, cache) as workspace:
        workspace.refresh()
        before = rows_of(workspace)
        workspace.store.checkpoint()
    [path] = cache.rglob(dice.choice(["index.db", "vectors.db"]))
    status = path.stat()
    start = dice.randrange(status.st_size // PAGE) * PAGE
    lost = Fault("read", errno.EIO, f"#{status.st_ino}", span=(start, start + dice.choice([512, PAGE])))
    with failing(lost), opened(root, cache) as workspace:
        workspace.refresh()
        workspace.search("send request")
        workspace.store.meta.set(**{PAGES_KEY: 0})
        workspace.verifier.run()
        workspace.refresh()
        assert rows_of(workspace) == before, (path.name, start)
        assert len(set(workspace.search("send request").notes)) == 1
    with failing(lost), opened(root, cache) as workspace:
        workspace.refresh()
        assert rows_of(workspace) == before, (path.name, start)
        assert not workspace.search("send request").notes


if __name__ == "__main__":
    bad_blocks.PAUSE_SECONDS = 0.0
    bad_blocks.BLOCK_BYTES = PAGE
    lose_a_page(random.Random(int(sys.argv[3])), Path(sys.argv[1]), Path(sys.argv[2]))
