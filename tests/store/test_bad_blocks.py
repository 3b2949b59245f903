"""Parts of a file that a disk has lost are told from a disk that is away; vectors on other parts are kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from retrieval.store import Store, bad_blocks
from tests.store.stored import vectors

Blocks = tuple[set[int], int]  # those that fail, and how many do not


@pytest.mark.parametrize(
    ("attempts", "lost"),
    [
        ([({4}, 9), ({4}, 9), ({4}, 9)], True),
        ([({4, 8}, 9), ({4}, 9), ({4, 12}, 9)], True),
        ([({4}, 9), ({8}, 9), ({12}, 9)], False),  # each block is read sooner or later
        ([({4}, 9), (set(), 10)], False),
        ([(set(), 10)], False),
        ([({0, 4}, 0)], False),  # nothing can be read: the disk is away
    ],
)
def test_blocks_are_lost_that_fail_again_and_again_beside_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, attempts: list[Blocks], lost: bool
) -> None:
    path = tmp_path / "vectors.db"
    path.touch()
    coming = iter(attempts)
    monkeypatch.setattr(bad_blocks, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(bad_blocks, "_read_blocks", lambda _path: next(coming))
    assert bad_blocks.has_bad_blocks(path) is lost


def test_a_log_can_have_lost_parts_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("index.db", "index.db-wal"):
        (tmp_path / name).touch()
    monkeypatch.setattr(bad_blocks, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(
        bad_blocks, "_read_blocks", lambda path: ({0}, 1) if path.suffix == ".db-wal" else (set[int](), 1)
    )
    assert bad_blocks.has_bad_blocks(tmp_path / "index.db")


def test_rescued_vectors_belong_to_the_encoder_that_made_them(opened: Callable[..., Store], tmp_path: Path) -> None:
    """Another process may have stored vectors of another encoder in the new file, under the same number."""
    passages = [bytes([n]) * 16 for n in range(3)]
    old = vectors(3)
    with opened() as store:
        store.vectors.put("first", passages, old)
    aside = tmp_path / "aside.db"
    with closing(sqlite3.connect(tmp_path / "vectors.db")) as db:
        db.execute("VACUUM INTO ?", (str(aside),))
    for path in tmp_path.glob("vectors.db*"):
        path.unlink()
    with opened() as store:
        store.vectors.put("second", passages[:1], vectors(1, seed=9))
        with closing(sqlite3.connect(tmp_path / "index" / "index.db", isolation_level=None)) as db:
            db.execute("ATTACH ? AS shared", (str(tmp_path / "vectors.db"),))
            assert bad_blocks.rescue_vectors(aside, db) == 3
        rescued = store.vectors.of_passages("first", passages)
        assert all(np.allclose(rescued[passage], row, atol=0.01) for passage, row in zip(passages, old, strict=True))
        assert len(store.vectors.of_passages("second", passages)) == 1


def test_nothing_is_rescued_of_what_is_no_database(opened: Callable[..., Store], tmp_path: Path) -> None:
    opened().close()
    (tmp_path / "aside.db").write_bytes(b"nothing" * 1_000)
    with closing(sqlite3.connect(tmp_path / "vectors.db", isolation_level=None)) as db:
        assert bad_blocks.rescue_vectors(tmp_path / "aside.db", db) == 0
