from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from retrieval.training import fetch as fetching
from retrieval.training.decontamination import package_is_excluded
from retrieval.training.fetch import SOURCES_FILE, fetch, read_sources


def test_every_listed_source_has_a_known_kind_and_is_not_excluded() -> None:
    sources = read_sources(SOURCES_FILE.read_text())
    assert len(set(sources)) == len(sources) > 50
    assert {kind for kind, _ in sources} == {"deb", "src", "npm"}
    assert [name for _, name in sources if package_is_excluded(name)] == []


def test_what_is_there_is_not_fetched_again_and_what_fails_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def runs(command: list[str], cwd: Path, **_: Any) -> subprocess.CompletedProcess[str]:
        asked.append(command[-1])
        if command[-1] == "gone":
            return subprocess.CompletedProcess(command, 1, "", "not found\n")
        (cwd / "package.tgz").write_bytes(b"x")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(fetching.subprocess, "run", runs)
    (tmp_path / "list.txt").write_text("# a comment\nnpm @scope/one\ndeb gone\n")
    assert fetch(tmp_path / "out", tmp_path / "list.txt") == ["gone"]
    assert fetch(tmp_path / "out", tmp_path / "list.txt") == ["gone"]
    assert asked == ["@scope/one", "gone", "gone"]
