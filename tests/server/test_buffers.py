"""A buffer and its file: the index has one of the two, whatever comes in between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from c2llm_lsp.server.folders import Folder, FolderServices
from c2llm_lsp.server.sync.buffers import Buffers
from c2llm_lsp.session.session import Session
from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.types import IndexReport
from tests.cli.program import lay_out

OLD, TYPED, NEW = (f"def {name}():\n    return 1\n" for name in ("old_heron", "typed_heron", "new_heron"))


class NullFolderListener:
    def folder_opened(self, folder: Folder) -> None: ...

    def indexing_changed(self, folder: Folder) -> None: ...

    def index_updated(self, folder: Folder, report: IndexReport) -> None: ...

    def folder_warned(self, warnings: tuple[str, ...]) -> None: ...


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    """A folder whose session runs no jobs: the test does."""
    root = lay_out(tmp_path / "project", {"a.py": OLD})
    folder = Folder(root.as_uri(), "", FolderServices(lambda _: OverlapEncoder(), {}, False, NullFolderListener()))
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=tmp_path / "cache") as workspace:
        workspace.refresh()
        folder.workspace, folder.session = workspace, Session(workspace, lambda _: None)
        yield folder


def symbols(folder: Folder) -> list[str]:
    assert folder.workspace is not None
    return [hit.chunk.symbol for hit in folder.workspace.search("heron").hits]


def write(folder: Folder, text: str) -> None:
    """The file changes and is indexed."""
    assert folder.workspace is not None
    (folder.path / "a.py").write_text(text)
    folder.workspace.changed(["a.py"])


def set_buffer(buffers: Buffers, folder: Folder, text: str) -> None:
    buffers.set(folder, "a.py", folder.files.uri_of("a.py"), text)


def test_a_buffer_is_searched_in_place_of_its_file_until_it_is_closed(folder: Folder) -> None:
    buffers = Buffers()
    set_buffer(buffers, folder, TYPED)
    assert symbols(folder) == ["typed_heron"]
    buffers.close(folder, "a.py")
    assert symbols(folder) == ["old_heron"]


def test_a_buffer_with_the_text_of_the_indexed_file_is_not_set(folder: Folder) -> None:
    buffers = Buffers()
    set_buffer(buffers, folder, OLD)
    write(folder, NEW)  # by another program, while the file is open
    assert symbols(folder) == ["new_heron"]


def test_a_saved_buffer_gives_way_to_its_file_once_that_is_indexed(folder: Folder) -> None:
    buffers = Buffers()
    set_buffer(buffers, folder, TYPED)
    (folder.path / "a.py").write_text(TYPED)
    set_buffer(buffers, folder, TYPED)
    buffers.index_updated(folder)  # of another file: this one is not indexed yet
    assert symbols(folder) == ["typed_heron"]
    write(folder, TYPED)
    buffers.index_updated(folder)
    write(folder, NEW)
    assert symbols(folder) == ["new_heron"]


def test_a_buffer_that_is_edited_after_it_was_saved_stays(folder: Folder) -> None:
    buffers = Buffers()
    set_buffer(buffers, folder, TYPED)
    write(folder, TYPED)
    set_buffer(buffers, folder, TYPED)
    set_buffer(buffers, folder, NEW)
    buffers.index_updated(folder)
    assert symbols(folder) == ["new_heron"]


def test_a_buffer_that_was_undone_and_closed_leaves_no_trace(folder: Folder) -> None:
    buffers = Buffers()
    set_buffer(buffers, folder, TYPED)
    set_buffer(buffers, folder, OLD)  # undone: the file is indexed like this
    buffers.index_updated(folder)
    buffers.close(folder, "a.py")
    write(folder, NEW)
    assert symbols(folder) == ["new_heron"]
