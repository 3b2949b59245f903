"""What is written is readable by its owner alone, whatever the umask; what another user owns is refused."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from c2llm_lsp.cli.clear import clear_all
from c2llm_lsp.cli.explain import write_page
from c2llm_lsp.server.context_files import save_context
from c2llm_lsp.settings import save
from retrieval import private_files
from retrieval.chunking import chunk_file
from retrieval.encoders import OverlapEncoder
from retrieval.encoders.remote import parse
from retrieval.encoders.remote.server_cache import CachedServer, write_cache
from retrieval.engine import Workspace
from retrieval.errors import StoreError
from retrieval.evaluation import cache_folder
from retrieval.evaluation.own import own_benchmarks
from retrieval.evaluation.run_file import Run
from retrieval.evaluation.run_file import save as save_run
from retrieval.indexing import writer_lock
from retrieval.private_files import private_cache, private_folder, touch_private, write_private
from retrieval.store import workspace_folder
from retrieval.types import Explanation
from tests.security.writers import OTHERS, writing_modules

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes mean nothing on Windows")
OTHER_USER = 4321


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "a.py").write_text("def secret_recipe():\n    return 1\n")
    return root


def readable_by_others(folder: Path) -> list[str]:
    paths = [folder, *folder.rglob("*")]
    return [f"{path} {path.lstat().st_mode:o}" for path in paths if path.lstat().st_mode & 0o077]


def indexed(project: Path, cache: Path) -> Workspace:
    workspace = Workspace.open(project, encoder=OverlapEncoder(), cache_dir=cache)
    workspace.refresh()
    workspace.maintain()
    return workspace


def test_an_open_index_and_all_beside_it_is_private(project: Path, tmp_path: Path) -> None:
    cache = tmp_path / "home" / ".cache" / "c2llm"
    with indexed(project, cache) as workspace, writer_lock(workspace.store.directory):
        workspace.store.full_text.keep_in_memory()
        workspace.store.full_text.maintain()
        save_context("code", cache)
        write_cache(cache, parse("http://localhost:1/v1"), CachedServer("http://localhost:1/v1", "model", 4))
        names = {path.name for path in cache.rglob("*")}
        assert {"index.db", "index.db-wal", "index.db-shm", "vectors.db-wal", "root.json", "writer.pid"} <= names
        assert not readable_by_others(cache)
    assert not readable_by_others(cache)


def test_what_an_earlier_version_left_readable_is_repaired_at_opening(project: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    indexed(project, cache).close()
    for path in [cache, *cache.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    Workspace.open(project, encoder=OverlapEncoder(), cache_dir=cache).close()
    assert not readable_by_others(cache)


def test_a_cache_folder_that_holds_other_things_keeps_its_mode(project: Path, tmp_path: Path) -> None:
    cache = tmp_path / "shared"
    cache.mkdir()
    cache.chmod(0o755)
    (cache / "notes.txt").touch(0o644)
    indexed(project, cache).close()
    assert stat.S_IMODE(cache.stat().st_mode) == 0o755
    assert stat.S_IMODE((cache / "notes.txt").stat().st_mode) == 0o644
    assert not readable_by_others(cache / "workspaces")
    assert not (cache / "vectors.db").stat().st_mode & 0o077


def owned_by(monkeypatch: pytest.MonkeyPatch, folder: Path, user: int) -> None:
    """Let the system say that a folder is of this user."""

    def told(status: os.stat_result, path: Path) -> os.stat_result:
        return os.stat_result((*status[:4], user, *status[5:10])) if path == folder else status

    for name in ("stat", "lstat"):
        real: Any = getattr(Path, name)
        monkeypatch.setattr(Path, name, lambda self, real=real, **how: told(real(self, **how), self))


@pytest.mark.parametrize("which", ["cache", "workspaces", "workspace"])
def test_a_folder_of_another_user_is_refused(
    monkeypatch: pytest.MonkeyPatch, project: Path, tmp_path: Path, which: str
) -> None:
    cache = tmp_path / "cache"
    indexed(project, cache).close()
    mine = workspace_folder(project, cache)
    folder = {"cache": cache, "workspaces": mine.parent, "workspace": mine}[which]
    owned_by(monkeypatch, folder, OTHER_USER)
    with pytest.raises(StoreError, match=f"{folder} belongs to user {OTHER_USER}.*C2LLM_CACHE_DIR"):
        Workspace.open(project, encoder=OverlapEncoder(), cache_dir=cache)


@pytest.mark.parametrize(("mode", "refused"), [(0o755, False), (0o777, True)])
def test_a_folder_of_root_is_accepted_unless_others_may_write_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: int, refused: bool
) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    folder.chmod(mode)
    owned_by(monkeypatch, folder, 0)
    monkeypatch.setattr(os, "geteuid", lambda: OTHER_USER)
    if refused:
        with pytest.raises(StoreError, match="belongs to user 0"):
            private_cache(folder)
    else:
        private_cache(folder)


def test_a_folder_for_all_users_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    private_cache(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777


def test_links_are_not_followed_to_files_of_others(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.touch(0o644)
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "vectors.db").symlink_to(outside)
    private_folder(folder)
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644


def test_logs_and_settings_are_private(tmp_path: Path) -> None:
    log, config = tmp_path / "log", tmp_path / "config.toml"
    log.touch(0o644)
    touch_private(log)
    config.touch(0o644)
    save("encoder", "http://localhost/v1", path=config)
    assert not (log.stat().st_mode | config.stat().st_mode) & 0o077
    touch_private(Path(os.devnull))
    assert stat.S_IMODE(Path(os.devnull).stat().st_mode) & 0o022


@pytest.mark.parametrize("place", ["kept/cache", "."])
def test_a_cache_folder_inside_the_workspace_is_never_indexed(project: Path, place: str) -> None:
    cache = project / place
    (project / ".c2llmignore").write_text("!*\n")
    save_context("def bake():\n    pass\n", cache)
    write_private(cache / "hnswlib.json", "{}")
    with indexed(project, cache) as workspace:
        assert set(workspace.store.files.all()) == {"a.py", ".c2llmignore"}
        context = next((cache / "contexts").iterdir())
        assert workspace.scanner.ignores(context.relative_to(project).as_posix())


def test_everything_of_the_cache_folder_is_cleared_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, project: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    indexed(project, cache).close()
    save_context("code", cache)
    write_cache(cache, parse("http://localhost:1/v1"), CachedServer("http://localhost:1/v1", "model", 4))
    (cache / "notes.txt").touch()
    monkeypatch.setenv("C2LLM_CACHE_DIR", str(cache))
    assert clear_all(yes=True) == 0
    assert [path.name for path in cache.iterdir()] == ["notes.txt"]


def test_a_file_that_cannot_be_replaced_leaves_no_temporary_one(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "x").touch()
    with pytest.raises(OSError):
        write_private(tmp_path / "taken", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_where_modes_mean_nothing_folders_are_only_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(private_files, "POSIX", False)
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    private_folder(folder, top=tmp_path)
    private_cache(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_a_file_that_windows_has_open_for_a_moment_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, refusals = tmp_path / "file", iter([True, True, False])
    path.write_text("old")
    replace = Path.replace

    def refused(source: Path, target: Path) -> Path:
        if next(refusals):
            raise PermissionError(13, "being used by another process")
        return replace(source, target)

    monkeypatch.setattr(private_files, "_WINDOWS", True)
    monkeypatch.setattr(private_files, "_PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setattr(Path, "replace", refused)
    private_files.write_private(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_every_module_that_writes_makes_private_files_or_says_why_not() -> None:
    found = writing_modules()
    assert not {name: calls for name, calls in found.items() if name not in OTHERS}
    assert not OTHERS.keys() - found.keys(), "no longer needed"


def test_what_commands_write_for_the_user_is_private(tmp_path: Path, project: Path) -> None:
    (tmp_path / "kept").mkdir(mode=0o700)
    own_benchmarks(project, tmp_path / "kept" / "copies" / "project", 20)
    chunk = chunk_file("a.py", "def secret_recipe():\n    return 1\n")[0]
    write_page(Explanation(chunk, "overlap", (), (), (), 0.0, 0.0, 0), tmp_path / "kept" / "page.html", quiet=True)
    save("encoder", "embedded", path=tmp_path / "kept" / "config" / "config.toml")
    assert {"a.py", "page.html", "config.toml"} <= {path.name for path in tmp_path.rglob("*")}
    assert not readable_by_others(tmp_path / "kept")


def test_saved_evaluations_and_their_cache_are_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_folder, "user_cache_path", lambda name: tmp_path / "home" / name)
    folder = cache_folder.evaluation_cache("search")
    run = Run(created="", version="", encoder="", ranking="", benchmarks=[])
    save_run(run, folder / "runs" / "one.json")
    assert not readable_by_others(tmp_path / "home" / "c2llm-lsp")
    monkeypatch.setenv("C2LLM_CACHE_DIR", str(tmp_path / "home" / "c2llm-lsp"))
    assert clear_all(yes=True) == 0
    assert not list((tmp_path / "home" / "c2llm-lsp").iterdir())
