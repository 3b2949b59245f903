"""Storms of changes: thousands, as fast as they can be made, through watcher, session and workspace, and none is lost."""

from __future__ import annotations

import random
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from tests.engine.indexed import check_equals_fresh, write_project
from tests.session.watched import live
from tests.soak import rounds

CHANGES = rounds(4_000, 10_000)


def text(dice: random.Random) -> str:
    return (
        f"def function_{dice.randrange(10**6)}(value):\n    return value + {dice.randrange(10**6)}\n"
        * dice.randrange(1, 4)
    )


class Storm:
    """Random changes of a tree: files written, replaced, renamed, deleted; folders renamed, deleted, put in a file's place."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root, self.dice = root, random.Random(seed)

    def change(self) -> None:
        chosen = self.dice.random()
        with suppress(OSError):  # what was there is gone: no change then
            if chosen < 0.55:
                self._write()
            elif chosen < 0.7:
                self._replace()
            elif chosen < 0.82:
                self._file().rename(self._file())
            elif chosen < 0.94:
                self._file().unlink()
            elif chosen < 0.97:
                self._folder().rename(self._folder())
            elif chosen < 0.985:
                self._in_place_of_each_other()
            else:
                shutil.rmtree(self._folder())

    def _folder(self) -> Path:
        return self.root / f"d{self.dice.randrange(12)}"

    def _file(self) -> Path:
        return self._folder() / f"f{self.dice.randrange(40)}.py"

    def _write(self) -> None:
        path = self._file()
        path.parent.mkdir(exist_ok=True)
        path.write_text(text(self.dice))

    def _replace(self) -> None:
        """As editors save: another file takes the place."""
        path = self._file()
        temporary = path.with_suffix(".py~")
        temporary.write_text(text(self.dice))
        temporary.replace(path)

    def _in_place_of_each_other(self) -> None:
        path = self._file()
        if path.is_dir():
            shutil.rmtree(path)
            path.write_text(text(self.dice))
        else:
            path.unlink()
            path.mkdir()
            (path / "inner.py").write_text(text(self.dice))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_thousands_of_changes_lose_nothing(tmp_path: Path, seed: int) -> None:
    with live(tmp_path) as running:
        storm = Storm(running.root, seed)
        for _ in range(CHANGES):
            storm.change()
        running.settle()
        assert not running.failures
        check_equals_fresh(running.workspace, tmp_path / "fresh")


@pytest.mark.slow
def test_the_same_files_saved_again_and_again_end_as_they_were_saved_last(tmp_path: Path) -> None:
    """No new names, so no rescan helps out: each path's last event must count."""
    (tmp_path / "root").mkdir()
    write_project(tmp_path / "root", 200, functions=1)
    with live(tmp_path) as running:
        files, dice = sorted(running.root.rglob("module_*.py")), random.Random(3)
        for _ in range(CHANGES):
            dice.choice(files).write_text(text(dice))
        running.settle()
        assert not running.failures
        check_equals_fresh(running.workspace, tmp_path / "fresh")


@pytest.mark.slow
def test_short_storms_one_after_the_other_lose_nothing(tmp_path: Path) -> None:
    with live(tmp_path) as running:
        for seed in range(6):
            storm = Storm(running.root, seed)
            for _ in range(CHANGES // 30):
                storm.change()
            running.settle()
            check_equals_fresh(running.workspace, tmp_path / f"fresh{seed}")
