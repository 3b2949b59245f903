"""Files that hurt grammars, ignore files and queries that hurt patterns. They cost themselves: the file beside them is found."""

from __future__ import annotations

import random
import resource
import string
from contextlib import suppress
from pathlib import Path

import psutil

from retrieval.engine import Workspace
from retrieval.errors import QueryError
from retrieval.types import Filters, SearchRequest
from tests.engine.indexed import CountingEncoder
from tests.indexing.test_parse_limits import ENDINGS, FRAGMENTS

BOMB_BYTES = 60_000
FILES = 4
MOST_SECONDS = 20.0 * FILES  # of processor time; a parse is stopped after some
MOST_BYTES = 400 * 1024 * 1024
GLOB_PARTS = ["*", "**", "**/", "?", "[a-z]", "[!a]", "a", "/", "\\", "[", "]", "!", "{", "}", "*a", "b*"]


def attack(dice: random.Random, folder: Path) -> dict[str, int]:
    root = folder / "root"
    deep = root / "/".join("a" * 20 for _ in range(20))
    deep.mkdir(parents=True)
    (deep / ("a" * 200)).write_text("x = 1\n")
    (root / "good.py").write_text("def needle_in_rubble():\n    return 1\n")
    patterns = ["".join(dice.choices(GLOB_PARTS, k=dice.randint(3, 40))) for _ in range(30)]
    (root / "sub").mkdir()
    (root / "sub" / ".gitignore").write_text("\n".join(patterns))
    (root / "sub" / ("a" * 120 + ".py")).write_text("x = 1\n")
    for number in range(FILES):
        (root / f"bomb_{number}.{dice.choice(ENDINGS)}").write_text(bomb(dice), errors="replace")
    before, started = psutil.Process().memory_info().rss, computed()
    with Workspace.open(root, encoder=CountingEncoder(), cache_dir=folder / "cache") as workspace:
        workspace.refresh()
        workspace.set_buffer(f"buffer.{dice.choice(ENDINGS)}", bomb(dice))
        assert workspace.search("needle_in_rubble").hits[0].chunk.path == "good.py"
        for glob in patterns[:10]:
            with suppress(QueryError):  # a glob that is none
                workspace.search(SearchRequest("needle in rubble", Filters(paths=(glob,))))
        workspace.search("".join(dice.choices(string.printable, k=5_000)))
    assert computed() - started < MOST_SECONDS
    assert psutil.Process().memory_info().rss - before < MOST_BYTES
    return {"grammar bombs": FILES + 1, "pattern bombs": len(patterns) + 10}


def computed() -> float:
    """Seconds of processor time so far, those of processes that have ended included."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def bomb(dice: random.Random) -> str:
    parts = "".join(dice.choices(FRAGMENTS, k=dice.randint(1, 4)))
    return parts * (BOMB_BYTES // len(parts))
