"""Files that contexts are put into: for nobody else to read, and not for long."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from c2llm_lsp.server.context_files import KEPT_FILES, KEPT_SECONDS, save_context
from retrieval.errors import StoreError


def test_a_context_is_written_as_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "contexts").mkdir(mode=0o777)
    path = save_context("a\r\n🎉 \udce9", tmp_path)
    assert path.read_bytes() == "a\r\n🎉 ?".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_is_old_goes_and_nothing_else(tmp_path: Path) -> None:
    old, fresh = save_context("old", tmp_path), save_context("fresh", tmp_path)
    (other := old.parent / "mine.md").write_text("not ours")
    long_ago = time.time() - KEPT_SECONDS - 60
    for path in (old, other):
        os.utime(path, (long_ago, long_ago))
    newest = save_context("newest", tmp_path)
    assert sorted(old.parent.iterdir()) == sorted([fresh, newest, other])


def test_only_so_many_are_kept_the_newest(tmp_path: Path) -> None:
    for n in range(KEPT_FILES + 5):
        path = save_context(str(n), tmp_path)
        os.utime(path, (time.time() - 1000 + n,) * 2)
    newest = save_context("newest", tmp_path)
    assert len(list(newest.parent.iterdir())) == KEPT_FILES
    assert newest.exists() and path.exists()


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        save_context("text", tmp_path / "file")
