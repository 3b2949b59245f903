"""System calls that fail at random while a workspace is indexed and searched. Errors are said in a sentence, nothing good is set
aside, and the index is right when the disk is well again.
"""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

from retrieval.engine import Workspace
from retrieval.errors import StoreError
from retrieval.store import database
from tests.engine.indexed import CountingEncoder, check_equals_fresh, write_project
from tests.faults.disk_faults import Fault, failing, preload

ROOT = Path(__file__).parents[2]
ERRORS = {
    "read": [errno.EIO, errno.ESTALE],
    "write": [errno.EIO, errno.ENOSPC, errno.EFBIG, errno.EDQUOT],
    "lock": [errno.ENOLCK, errno.EIO, errno.EINVAL],
    "flock": [errno.ENOLCK],
    "mmap": [errno.ENOMEM, errno.ENODEV],
    "fsync": [errno.EIO],
}
FILES = ["index.db", "index.db-wal", "index.db-shm", "vectors.db", "vectors.db-wal", "vectors.db-shm", "/cache/"]
ROUNDS = 8


def attack(dice: random.Random, folder: Path) -> dict[str, int]:
    root, cache = folder / "root", folder / "cache"
    write_project(root, 4)
    environment = {**os.environ, **preload(folder), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.campaign.disk", str(root), str(cache), str(dice.randrange(1 << 30))]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]
    assert "Traceback" not in done.stderr, done.stderr[-3_000:]
    assert not list(cache.rglob("*damaged*"))
    with Workspace.open(root, encoder=CountingEncoder(), cache_dir=cache) as workspace:
        workspace.refresh()
        assert not workspace.search("send request").freshness.stale
        check_equals_fresh(workspace, folder / "fresh")
    return dict(Counter(done.stdout.split()))


def random_fault(dice: random.Random) -> Fault:
    call = dice.choice(sorted(ERRORS))
    path = "/cache/" if call in ("lock", "flock") else dice.choice(FILES)
    return Fault(call, dice.choice(ERRORS[call]), path, dice.randrange(40), dice.choice([1, 3, -1]))


def use(root: Path, cache: Path, dice: random.Random) -> None:
    """Open, edit, refresh, search, while calls fail."""
    fault = random_fault(dice)
    print(f"{fault.call}-{errno.errorcode[fault.error]}", flush=True)
    (root / f"edited_{dice.randrange(3)}.py").write_text(f"def edited():\n    return {dice.randrange(1_000)}\n")
    with (
        suppress(StoreError, OSError),
        failing(fault),
        Workspace.open(root, encoder=CountingEncoder(), cache_dir=cache) as w,
    ):
        for _ in range(3):
            with suppress(StoreError):
                w.refresh()
            with suppress(StoreError):
                w.search("send request")


if __name__ == "__main__":
    database.BUSY_SECONDS = 0.05  # nobody else has the index: a lock that fails is not worth 20 seconds
    chance = random.Random(int(sys.argv[3]))
    for _ in range(ROUNDS):
        use(Path(sys.argv[1]), Path(sys.argv[2]), chance)
