from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.processes.helpers import Outcome
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

    def runs(name: str, arguments: list[str], *, folder: Path) -> Outcome:
        asked.append(arguments[-1])
        if arguments[-1] == "gone":
            return Outcome(1, "", "not found\n")
        (folder / "package.tgz").write_bytes(b"x")
        return Outcome(0, "", "")

    monkeypatch.setattr(fetching, "run_tool", runs)
    (tmp_path / "list.txt").write_text("# a comment\nnpm @scope/one\ndeb gone\n")
    assert fetch(tmp_path / "out", tmp_path / "list.txt") == ["gone"]
    assert fetch(tmp_path / "out", tmp_path / "list.txt") == ["gone"]
    assert asked == ["@scope/one", "gone", "gone"]
