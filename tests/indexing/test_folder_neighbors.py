"""Where a file's content leaves its language open, the files beside it decide, whenever they come or go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.types import Filters, SearchRequest

HEADER = "int count_coins(const int *coins, int size);\n"
CPP = "int count_coins(const int *coins, int size) {\n  return coins[0] + size;\n}\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    root = tmp_path / "root"
    for path in ("src/till.h", "include/other.h"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(HEADER)
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=tmp_path / "cache") as opened:
        opened.refresh()
        yield opened


def languages(workspace: Workspace) -> dict[str, str]:
    return {path: row.language for path, row in workspace.store.files.all().items() if path.endswith(".h")}


@pytest.mark.parametrize("is_told", [True, False])
def test_a_header_follows_the_sources_of_its_folder(workspace: Workspace, is_told: bool) -> None:
    def refresh() -> None:
        workspace.changed(["src/till.cc", "src/till.c"]) if is_told else workspace.refresh()

    assert languages(workspace) == {"src/till.h": "c", "include/other.h": "c"}
    (workspace.root / "src/till.cc").write_text(CPP)
    refresh()
    assert languages(workspace) == {"src/till.h": "cpp", "include/other.h": "c"}
    hits = workspace.search(SearchRequest("count_coins", Filters(languages=("cpp",), paths=("*.h",)))).hits
    assert [hit.chunk.path for hit in hits] == ["src/till.h"]
    (workspace.root / "src/till.c").write_text(CPP)  # of both languages: nothing is told
    refresh()
    assert languages(workspace)["src/till.h"] == "c"
    (workspace.root / "src/till.c").unlink()
    refresh()
    assert languages(workspace)["src/till.h"] == "cpp"


def test_files_that_are_left_out_tell_nothing(workspace: Workspace) -> None:
    (workspace.root / ".gitignore").write_text("made.cc\n")
    (workspace.root / "src/made.cc").write_text(CPP)
    workspace.refresh()
    assert languages(workspace)["src/till.h"] == "c"


def test_an_open_header_is_in_the_language_of_its_folder(workspace: Workspace) -> None:
    (workspace.root / "src/till.cc").write_text(CPP)
    workspace.refresh()
    workspace.set_buffer("src/till.h", HEADER + "int count_notes(void);\n")
    hits = workspace.search(SearchRequest("count_notes", Filters(languages=("cpp",)))).hits
    assert "src/till.h" in [hit.chunk.path for hit in hits]


def test_nothing_is_embedded_again_where_only_the_language_changes(workspace: Workspace) -> None:
    (workspace.root / "src/till.cc").write_text(CPP)
    report = workspace.refresh()
    assert (report.files_changed, report.chunks_embedded) == (2, 1)
