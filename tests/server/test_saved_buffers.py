"""A buffer and its file: the index has one of the two, whatever comes in between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from c2llm_lsp.server.folder import Folder, Surroundings
from c2llm_lsp.session.events import Done
from c2llm_lsp.session.job_queue import FullScan
from c2llm_lsp.session.session import Session
from c2llm_lsp.settings import Settings
from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.types import IndexReport
from tests.cli.program import lay_out

OLD, TYPED, NEW = (f"def {name}():\n    return 1\n" for name in ("old_heron", "typed_heron", "new_heron"))


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    root = lay_out(tmp_path / "project", {"a.py": OLD})
    nothing: Any = lambda *_: None  # noqa: E731
    folder = Folder(root.as_uri(), "", Surroundings(nothing, {}, False, nothing, nothing, nothing, nothing))
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=tmp_path / "cache") as workspace:
        workspace.refresh()
        folder.workspace, folder.session = workspace, Session(workspace, nothing, process_settings=Settings())
        yield folder


def test_a_report_that_comes_while_a_saved_buffer_is_shown_leaves_no_trace_of_it(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = folder.workspace
    assert workspace is not None
    set_buffer = workspace.set_buffer

    def overtaken(path: str, text: str | None) -> int:
        if text == OLD:
            folder._event(Done(FullScan("test"), IndexReport()))
        return set_buffer(path, text)

    monkeypatch.setattr(workspace, "set_buffer", overtaken)
    folder.show("a.py", folder.uri_of("a.py"), TYPED)
    folder.show("a.py", folder.uri_of("a.py"), OLD)  # undone, and saved: the file is indexed like this
    folder.hide("a.py")
    (workspace.root / "a.py").write_text(NEW)
    workspace.changed(["a.py"])
    assert [hit.chunk.symbol for hit in workspace.search("heron").hits] == ["new_heron"]
