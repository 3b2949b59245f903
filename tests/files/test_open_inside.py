"""No link leads out of the workspace, whenever it appears."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from retrieval.files import SourceFile, open_inside, read_file
from retrieval.types import Skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.py").write_text("outside = 1\n")
    (tmp_path / "root" / "deep" / "folder").mkdir(parents=True)
    (tmp_path / "root" / "deep" / "folder" / "a.py").write_text("inside = 1\n")
    return tmp_path / "root"


@pytest.fixture(params=[True, False], ids=["relative opens", "checked paths"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    if request.param and not open_inside.RELATIVE:
        pytest.skip("this system has none")
    monkeypatch.setattr(open_inside, "RELATIVE", request.param)
    return bool(request.param)


@pytest.mark.usefixtures("way")
def test_a_file_is_read_and_links_are_not_followed(root: Path) -> None:
    source = read_file(root, "deep/folder/a.py")
    assert isinstance(source, SourceFile)
    assert source.text == "inside = 1\n"
    (root / "link").symlink_to(root.parent / "outside")
    (root / "deep" / "link.py").symlink_to(root.parent / "outside" / "a.py")
    assert read_file(root, "link/a.py") == Skip("link/a.py", "link")
    assert read_file(root, "deep/link.py") == Skip("deep/link.py", "link")
    assert read_file(root, "deep/none/a.py") == Skip("deep/none/a.py", "missing")
    assert read_file(root, "deep/folder/a.py/b.py") == Skip("deep/folder/a.py/b.py", "missing")


def test_a_folder_that_is_a_link_for_a_moment_is_not_followed(
    root: Path, way: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is swapped at every call to `open` in turn, and back behind it, which hides it from later checks."""
    real, folder, aside = os.open, root / "deep" / "folder", root / "deep" / "aside"
    for moment in range(4):
        calls: list[str] = []

        def opened(
            path: str,
            flags: int,
            mode: int = 0o777,
            *,
            dir_fd: int | None = None,
            moment: int = moment,
            calls: list[str] = calls,
        ) -> int:
            calls.append(path)
            swap = len(calls) == moment + 1
            if swap:
                folder.rename(aside)
                folder.symlink_to(root.parent / "outside")
            try:
                return real(path, flags, mode, dir_fd=dir_fd)
            finally:
                if swap:
                    folder.unlink()
                    aside.rename(folder)

        monkeypatch.setattr(os, "open", opened)
        result = read_file(root, "deep/folder/a.py")
        monkeypatch.setattr(os, "open", real)
        assert not isinstance(result, SourceFile) or result.text == "inside = 1\n", (way, moment)


def test_a_junction_of_windows_is_a_link() -> None:
    """`lstat` calls it a folder; its tag tells."""
    junction = SimpleNamespace(st_mode=0o040777, st_reparse_tag=0xA0000003)
    folder = SimpleNamespace(st_mode=0o040777, st_reparse_tag=0)
    assert open_inside.is_link(junction)  # type: ignore[arg-type]
    assert not open_inside.is_link(folder)  # type: ignore[arg-type]
