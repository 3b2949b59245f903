"""Eight minutes of edits, or an hour, replayed fast, leaves the memory as it was after the first minutes."""

from __future__ import annotations

import gc
import random
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from retrieval.encoders import Vectors
from retrieval.engine import Workspace
from tests.engine.indexed import CountingEncoder, check_equals_fresh, write_project
from tests.soak import rounds

EDITS = rounds(450, 3_000)  # of each kind: one save and one pause in typing a second
WARM = 200
MOST_GROWTH = 12.0  # MB: allocators keep some of what they were given
WORDS = [f"word{n}" for n in range(4_000)]


class Forgetful(CountingEncoder):
    """Does not keep what it embeds: the test must not be what grows."""

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        made = super().encode_passages(texts)
        self.passages.clear()
        return made


def edited(text: str, dice: random.Random) -> str:
    lines = text.split("\n")
    at = dice.randrange(len(lines))
    lines[at] = f"    {dice.choice(WORDS)} = {dice.choice(WORDS)}({dice.choice(WORDS)})"
    return "\n".join(lines)


def resident() -> float:
    gc.collect()
    return float(psutil.Process().memory_info().rss) / 1e6


@pytest.mark.slow
def test_memory_stays_flat_over_thousands_of_saves_and_unsaved_edits(tmp_path: Path) -> None:
    root, dice = tmp_path / "root", random.Random(5)
    write_project(root, 40, functions=3)
    files = sorted(root.rglob("*.py"))
    with Workspace.open(root, encoder=Forgetful(), cache_dir=tmp_path / "cache") as workspace:
        workspace.refresh()
        warm = 0.0
        for number in range(EDITS):
            path = files[number % len(files)]
            name = path.relative_to(root).as_posix()
            text = edited(path.read_text(), dice)
            workspace.set_buffer(name, text)
            if number % 3 == 0:
                workspace.search(dice.choice(WORDS))
            path.write_text(edited(text, dice))
            workspace.changed([name])
            workspace.close_buffer(name)
            if number % 50 == 0:
                workspace.maintain()
            if number == WARM:
                warm = resident()
        assert resident() - warm < MOST_GROWTH
        assert workspace.search("word1").freshness.pending_chunks == 0
        check_equals_fresh(workspace, tmp_path / "fresh")
