"""The facade: what it says when things are missing, damaged, full, read-only, or made by another encoder."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval.chunking import CHUNKING_VERSION, boundaries
from retrieval.chunking.chunker import chunks_of
from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace, encoder_selection, index_writer
from retrieval.errors import EncoderError, ModelError, NewerSchemaError, QueryError, StorageFullError, WorkspaceError
from retrieval.indexing import chunk_jobs, pipeline, vector_sync
from retrieval.structure import SymbolRequest
from retrieval.types import Chunk, SimilarRequest
from retrieval.vectors import hnsw_problem
from tests import disks
from tests.engine.indexed import (
    CountingEncoder,
    answers_of,
    check_equals_fresh,
    fresh_copy,
    names_of,
    rows_of,
    write_project,
)

CODE = "def {0}(value):\n    # {0} comes first\n    total = value + 1\n    other = total * 2\n    return other\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_a_second_look_at_an_unchanged_tree_does_nothing(
    root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(root, 5)
    for path in root.rglob("*.py"):
        os.utime(path, (1_000_000_000.5, 1_000_000_000.5))
    with Workspace.open(root, encoder=CountingEncoder(), cache_dir=cache) as workspace:
        report = workspace.refresh()
        assert (report.files_seen, report.files_changed) == (5, 5)
        assert report.chunks_added == report.chunks_embedded == workspace.store.chunks.count()
        change = workspace.store.revision
        monkeypatch.setattr("retrieval.indexing.index_files.read_file", lambda *a, **k: pytest.fail("a file was read"))
        report = workspace.refresh()
        assert (report.files_changed, report.files_removed, report.chunks_embedded) == (0, 0, 0)
        assert workspace.store.revision == change


@pytest.mark.skipif(os.name == "nt", reason="no time there tells of a change that put the other one back")
def test_an_edit_that_keeps_size_and_time_is_noticed(root: Path, cache: Path) -> None:
    path = root / "a.py"
    path.write_text(CODE.format("alpha"))
    os.utime(path, (1_000_000_000.5, 1_000_000_000.5))
    with Workspace.open(root, encoder=CountingEncoder(), cache_dir=cache) as workspace:
        workspace.refresh()
        with path.open("r+") as file:  # the same inode
            file.write(CODE.format("gamma"))
        os.utime(path, (1_000_000_000.5, 1_000_000_000.5))
        workspace.refresh()
        assert workspace.store.chunks.by_symbol(["gamma"])
        assert not workspace.store.chunks.by_symbol(["alpha"])


def test_an_index_of_an_earlier_format_is_kept(root: Path, cache: Path) -> None:
    """One from before the time of a change was stored: files are read once more, and nothing is chunked or embedded."""
    write_project(root, 3)
    with Workspace.open(root, encoder=CountingEncoder(), cache_dir=cache) as workspace:
        workspace.refresh()
        rows, revision, database = rows_of(workspace), workspace.store.revision, workspace.store.directory / "index.db"
    with closing(sqlite3.connect(database)) as db:
        db.execute("ALTER TABLE files DROP COLUMN ctime_ns")
        db.execute("DROP TABLE symbols")
        forget_structures(db)
        db.execute("PRAGMA user_version = 3")
        db.commit()
    encoder = CountingEncoder()
    with Workspace.open(root, encoder=encoder, cache_dir=cache) as workspace:
        report = workspace.refresh()
        assert (report.files_changed, encoder.passages) == (0, [])
        assert (rows_of(workspace), workspace.store.revision) == (rows, revision)


def forget_structures(db: sqlite3.Connection) -> None:
    db.execute("ALTER TABLE borders DROP COLUMN structure")
    db.execute("DROP TABLE structures")
    db.execute("DROP TABLE names")


def test_the_calls_of_an_index_from_before_they_were_stored_are_filled_in(root: Path, cache: Path) -> None:
    write_project(root, 3)
    with Workspace.open(root, encoder=CountingEncoder(), cache_dir=cache) as workspace:
        workspace.refresh()
        rows, names, database = rows_of(workspace), names_of(workspace), workspace.store.directory / "index.db"
    with closing(sqlite3.connect(database)) as db:
        forget_structures(db)
        db.execute("PRAGMA user_version = 5")
        db.execute("UPDATE meta SET value = '6.1' WHERE key = 'chunking_version'")
        db.commit()
    encoder = CountingEncoder()
    with Workspace.open(root, encoder=encoder, cache_dir=cache) as workspace:
        before = workspace.symbols.relate(SymbolRequest("callers", "function_1_3"))
        assert any("earlier version" in note for note in before.notes)
        report = workspace.refresh()
        assert (report.chunks_added, report.chunks_removed, encoder.passages) == (0, 0, [])
        assert (rows_of(workspace), names_of(workspace)) == (rows, names)


def test_an_edit_embeds_only_what_is_new(root: Path, cache: Path) -> None:
    write_project(root, 3)
    encoder = CountingEncoder()
    with Workspace.open(root, encoder=encoder, cache_dir=cache) as workspace:
        workspace.refresh()
        encoder.passages.clear()
        path = root / "pkg1" / "module_1.py"
        path.write_text("\n\n# moved down\n" + path.read_text().replace("function_1_3", "renamed_function"))
        report = workspace.changed(["pkg1/module_1.py"])
        assert 1 <= len(encoder.passages) <= 3
        assert any("renamed_function" in text for text in encoder.passages)
        assert report.files_changed == 1
        check_equals_fresh(workspace, cache.with_name("fresh"))


def test_a_branch_switch_and_back_embeds_nothing_again(root: Path, cache: Path) -> None:
    write_project(root, 6)
    encoder = CountingEncoder()
    with Workspace.open(root, encoder=encoder, cache_dir=cache) as workspace:
        workspace.refresh()
        shutil.copytree(root, cache.with_name("branch"))
        write_project(root, 6, functions=4)
        for path in root.rglob("*.py"):
            path.write_text(path.read_text().replace("step_", "other_"))
        workspace.refresh()
        encoder.passages.clear()
        shutil.rmtree(root)
        shutil.copytree(cache.with_name("branch"), root)
        report = workspace.refresh()
        assert encoder.passages == []
        assert report.chunks_reused == report.chunks_added > 0
        check_equals_fresh(workspace, cache.with_name("fresh"))


def test_another_worktree_embeds_nothing_again(root: Path, cache: Path, tmp_path: Path) -> None:
    write_project(root, 4)
    fresh_copy(root, cache).close()
    shutil.copytree(root, tmp_path / "worktree")
    encoder = CountingEncoder()
    with Workspace.open(tmp_path / "worktree", encoder=encoder, cache_dir=cache) as workspace:
        workspace.refresh()
        assert encoder.passages == []
        assert workspace.search("send request").hits


def test_other_chunking_rules_cut_everything_anew(root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(root, 3)
    fresh_copy(root, cache).close()
    monkeypatch.setattr(index_writer, "TEXT_VERSION", "999")
    monkeypatch.setattr(pipeline, "TEXT_VERSION", "999")
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=cache) as workspace:
        assert workspace.refresh().files_changed == 3
        assert workspace.refresh().files_changed == 0


def test_an_index_of_the_chunking_before_is_brought_up_by_itself_and_embeds_what_changed_only(
    root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second", "third"):  # short: no worker process, whose rules would be the present ones
        (root / f"{name}.py").write_text(f"# What {name} is.\n\ndef {name}(order):\n    return order.{name}_sum\n")

    def before(path: str, text: str, **options: Any) -> list[Chunk]:
        chunks = chunks_of(path, text, **options)
        return [replace(chunk, symbol="", symbols=()) if path == "second.py" else chunk for chunk in chunks]

    with monkeypatch.context() as patch:
        patch.setattr(chunk_jobs, "chunks_of", before)
        patch.setattr(boundaries, "CHUNKING_VERSION", CHUNKING_VERSION - 1)
        patch.setattr(index_writer, "TEXT_VERSION", f"{CHUNKING_VERSION - 1}.0")
        patch.setattr(pipeline, "TEXT_VERSION", f"{CHUNKING_VERSION - 1}.0")
        fresh_copy(root, cache).close()
    encoder = CountingEncoder()
    with Workspace.open(root, encoder=encoder, cache_dir=cache) as workspace:
        workspace.changed(["first.py"])
        assert [passage.splitlines()[:2] for passage in encoder.passages] == [["second.py", "second"]]
        check_equals_fresh(workspace, cache.parent / "fresh")


def test_files_that_vanish_or_cannot_be_read_are_skipped_and_found_later(
    root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(root, 3)
    from retrieval.files import read_file
    from retrieval.types import Skip

    verdicts = {"pkg0/module_0.py": "missing", "pkg1/module_1.py": "unreadable: Permission denied"}

    def read(folder: Path, path: str, **options: int) -> object:
        return Skip(path, verdicts[path]) if path in verdicts else read_file(folder, path, **options)

    with monkeypatch.context() as patch:
        patch.setattr("retrieval.indexing.index_files.read_file", read)
        with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=cache) as workspace:
            report = workspace.refresh()
            assert [skip.reason for skip in report.skipped] == ["unreadable: Permission denied"]
            assert workspace.status().skipped == {"unreadable: Permission denied": 1}
            assert workspace.store.files.count() == 1
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=cache) as workspace:
        workspace.refresh()
        check_equals_fresh(workspace, cache.with_name("fresh"))


def test_binary_files_are_looked_at_once(root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "data.py").write_bytes(b"\0\1\2")
    os.utime(root / "data.py", (1_000_000_000.5, 1_000_000_000.5))
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=cache) as workspace:
        assert [skip.reason for skip in workspace.refresh().skipped] == ["binary"]
        monkeypatch.setattr(
            "retrieval.indexing.index_files.read_file", lambda *a, **k: pytest.fail("it was read again")
        )
        workspace.refresh()
        assert workspace.status().skipped == {"binary": 1}


# -- roots ------------------------------------------------------------------------------------------------------------


def test_a_root_that_is_not_there_or_a_file_is_a_clear_error(root: Path, cache: Path) -> None:
    with pytest.raises(WorkspaceError, match="no folder"):
        Workspace.open(root / "missing", cache_dir=cache)
    (root / "file.py").write_text("x")
    with pytest.raises(WorkspaceError, match="is a file"):
        Workspace.open(root / "file.py", cache_dir=cache)


def test_an_empty_workspace_answers_nothing(root: Path, cache: Path) -> None:
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=cache) as workspace:
        assert workspace.search("anything").hits == ()
        workspace.refresh()
        answer = workspace.search("anything")
        assert answer.hits == ()
        assert answer.freshness.chunks == 0
        with pytest.raises(QueryError, match="not indexed"):
            workspace.similar(SimilarRequest("missing.py", 1))


def test_a_link_and_its_target_are_one_workspace(root: Path, cache: Path, tmp_path: Path) -> None:
    write_project(root, 2)
    fresh_copy(root, cache).close()
    (tmp_path / "link").symlink_to(root)
    with Workspace.open(tmp_path / "link", encoder=OverlapEncoder(), cache_dir=cache) as workspace:
        assert workspace.refresh().files_changed == 0
        assert workspace.store.files.count() == 2


# -- encoders ---------------------------------------------------------------------------------------------------------


class NarrowEncoder(CountingEncoder):
    name = "narrow"


def test_another_encoder_never_mixes_vectors_and_the_old_one_answers_meanwhile(root: Path, cache: Path) -> None:
    write_project(root, 5)
    fresh_copy(root, cache).close()
    new = NarrowEncoder(dimension=64)
    with Workspace.open(root, encoder=new, cache_dir=cache) as workspace:
        before = workspace.search("send request")
        assert before.encoder == "overlap"
        assert any("narrow" in note for note in before.notes)
        assert before.freshness.pending_chunks == workspace.store.chunks.count()
        workspace.refresh()
        assert len(new.passages) == workspace.store.chunks.count()
        after = workspace.search("send request")
        assert after.encoder == "narrow"
        assert after.notes == ()
        old_ids, old = workspace.store.vectors.all("overlap-1-256")
        ids, rows = workspace.store.vectors.all(new.fingerprint)
        assert old_ids.tolist() == ids.tolist()
        assert (old.shape[1], rows.shape[1]) == (256, 64)
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=cache) as workspace:
        workspace.refresh()
        assert workspace.search("send request").encoder == "overlap"


def test_an_old_encoder_that_cannot_be_had_leaves_words_and_what_is_embedded(
    root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(root, 3)
    fresh_copy(root, cache).close()

    def gone(name: str, threads: int | None = None) -> OverlapEncoder:
        raise ModelError(f"no {name}")

    monkeypatch.setattr(encoder_selection, "load", gone)
    with Workspace.open(root, encoder=CountingEncoder(dimension=64), cache_dir=cache) as workspace:
        answer = workspace.search("send request")
        assert answer.hits
        assert answer.encoder == ""


def test_a_model_that_does_not_load_leaves_words(root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(root, 3)

    def broken(name: str, threads: int | None = None) -> OverlapEncoder:
        raise ModelError("The model file is broken: install the package again.")

    monkeypatch.setattr(encoder_selection, "load", broken)
    with Workspace.open(root, cache_dir=cache) as workspace:
        report = workspace.refresh()
        assert "broken" in report.notes[0]
        answer = workspace.search("send request")
        assert answer.hits
        assert answer.encoder == ""
        assert "broken" in answer.notes[0]
        assert "broken" in workspace.status().notes[0]


def test_an_encoder_that_gives_nonsense_stores_nothing(root: Path, cache: Path) -> None:
    write_project(root, 2)

    class Broken(OverlapEncoder):
        def encode_passages(self, texts: object) -> np.ndarray:
            return np.full((len(texts), self.dimension), np.nan, np.float32)  # type: ignore[arg-type]

    with Workspace.open(root, encoder=Broken(), cache_dir=cache) as workspace:
        assert "not numbers" in workspace.refresh().notes[0]
        assert workspace.store.vectors.pending_count(Broken().fingerprint) == workspace.store.chunks.count() > 0


def test_an_encoder_that_fails_at_a_question_leaves_words(root: Path, cache: Path) -> None:
    write_project(root, 2)

    class Failing(OverlapEncoder):
        def encode_queries(self, texts: object) -> np.ndarray:
            raise EncoderError("out of memory")

    with Workspace.open(root, encoder=Failing(), cache_dir=cache) as workspace:
        workspace.refresh()
        answer = workspace.search("send request")
        assert answer.hits
        assert answer.encoder == ""


# -- graphs -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    if hnsw_problem():
        pytest.skip("hnswlib cannot be used here")
    monkeypatch.setattr(vector_sync, "GRAPH_FROM", 50)


def dense_answers(workspace: Workspace) -> list[list[int]]:
    index = workspace.context.vector_index(workspace.encoder).current()
    return [
        index.search(workspace.encoder.encode_queries([query])[0], 10)[0].tolist()
        for query in ("send", "step 3", "function 7")
    ]


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: os.truncate(path, path.stat().st_size // 2),
        lambda path: os.truncate(path, 0),
        lambda path: path.write_bytes(bytes(path.stat().st_size)),
        lambda path: path.write_bytes(os.urandom(path.stat().st_size)),
        lambda path: path.unlink(),
    ],
)
def test_a_graph_that_is_damaged_or_gone_gives_the_same_answers(
    root: Path, cache: Path, graphs: None, damage: Callable[[Path], object]
) -> None:
    write_project(root, 20)
    with fresh_copy(root, cache) as workspace:
        assert workspace.context.vector_index(workspace.encoder).kind in ("", "exact")
        exact = dense_answers(workspace)
        workspace.maintain()
        assert workspace.context.vector_index(workspace.encoder).kind == "hnsw"
        assert dense_answers(workspace) == exact
        path = workspace.context.vector_index(workspace.encoder).path
    assert path.exists()
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=cache) as workspace:
        assert dense_answers(workspace) == exact
        assert workspace.context.vector_index(workspace.encoder).kind == "hnsw"
    damage(path)
    encoder = CountingEncoder()
    with Workspace.open(root, encoder=encoder, cache_dir=cache) as workspace:
        assert dense_answers(workspace) == exact
        workspace.maintain()
        assert dense_answers(workspace) == exact
        assert encoder.passages == []


def test_making_a_graph_tells_how_far_it_is_whatever_threads_make_it(
    root: Path, cache: Path, graphs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_sync, "PORTION", 16)
    write_project(root, 20)
    with fresh_copy(root, cache) as workspace:
        exact, rows, told = dense_answers(workspace), workspace.store.chunks.count(), list[tuple[str, int, int]]()
        workspace.maintain(progress=lambda *step: told.append(step), threads=3)
        assert told == [("graph", done, rows) for done in range(0, rows, 16)]
        assert workspace.context.vector_index(workspace.encoder).kind == "hnsw"
        assert dense_answers(workspace) == exact


def test_a_graph_catches_up_with_what_changed_since_it_was_saved(root: Path, cache: Path, graphs: None) -> None:
    write_project(root, 20)
    with fresh_copy(root, cache) as workspace:
        workspace.maintain()
        path = workspace.context.vector_index(workspace.encoder).path
        saved = path.read_bytes()
    (root / "pkg0" / "module_0.py").unlink()
    (root / "new.py").write_text(CODE.format("zeta"))
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=cache) as workspace:
        workspace.refresh()
    path.write_bytes(saved)
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=cache) as workspace:
        check_equals_fresh(workspace, cache.with_name("fresh"))


def test_a_graph_of_an_index_that_was_replaced_is_not_used(root: Path, cache: Path, graphs: None) -> None:
    write_project(root, 20)
    with fresh_copy(root, cache) as workspace:
        workspace.maintain()
        folder = workspace.store.directory
    os.truncate(folder / "index.db", 5_000)
    for path in sorted(root.rglob("*.py"))[:10]:
        path.unlink()
    encoder = CountingEncoder()
    with Workspace.open(root, encoder=encoder, cache_dir=cache) as workspace:
        assert any("set aside" in note for note in workspace.search("send").notes)
        workspace.refresh()
        assert encoder.passages == []
        check_equals_fresh(workspace, cache.with_name("fresh"))


def test_without_hnswlib_search_is_exact_with_one_warning(
    root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_sync, "GRAPH_FROM", 50)
    monkeypatch.setattr(vector_sync, "hnsw_problem", lambda cache_dir: "hnswlib is not installed: pip install it.")
    write_project(root, 20)
    with fresh_copy(root, cache) as workspace:
        workspace.maintain()
        answer = workspace.search("send request")
        assert answer.hits
        assert answer.notes == ("hnswlib is not installed: pip install it.",)
        assert workspace.status().index_kind == "exact"


# -- disks and damage -------------------------------------------------------------------------------------------------


def test_damage_found_while_working_is_repaired(root: Path, cache: Path) -> None:
    write_project(root, 20)
    with fresh_copy(root, cache) as workspace:
        folder = workspace.store.directory
    with (folder / "index.db").open("r+b") as file:
        file.seek(8 * 4096)
        file.write(b"\xa5" * (folder / "index.db").stat().st_size)
    encoder = CountingEncoder()
    with Workspace.open(root, encoder=encoder, cache_dir=cache) as workspace:
        for path in root.rglob("*.py"):
            path.write_text(path.read_text() + "\nMORE = 1\n")
        workspace.refresh()
        assert any("set aside" in note for note in workspace.search("send request").notes)
        check_equals_fresh(workspace, cache.with_name("fresh"))
        assert len(encoder.passages) <= 40


def test_an_index_of_a_newer_program_is_refused(root: Path, cache: Path) -> None:

    with fresh_copy(root, cache) as workspace:
        folder = workspace.store.directory
    with sqlite3.connect(folder / "index.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(NewerSchemaError):
        Workspace.open(root, cache_dir=cache)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    with disks.small_disk(tmp_path / "disk", 2) as folder:
        yield folder


@pytest.mark.slow
def test_a_disk_that_fills_up_loses_nothing_and_the_run_goes_on_when_there_is_room(root: Path, disk: Path) -> None:
    write_project(root, 20, functions=8)
    encoder = CountingEncoder()
    with Workspace.open(root, encoder=encoder, cache_dir=disk) as workspace:
        workspace.refresh()  # these have room
        write_project(root, 200, functions=8)
        with pytest.raises(StorageFullError, match="No room"):
            workspace.refresh()
        answer = workspace.search("send request")
        assert answer.hits
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        workspace.refresh()
        check_equals_fresh(workspace, disk.with_name("fresh"))
        assert len(encoder.passages) <= len(set(encoder.passages)) + 512


def test_a_cache_that_cannot_be_written_still_answers(root: Path, disk: Path) -> None:
    write_project(root, 5)
    fresh_copy(root, disk).close()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=disk) as workspace:
        report = workspace.refresh()
        assert "cannot be written" in report.notes[0]
        answer = workspace.search("send request")
        assert answer.hits
        assert answer.encoder == "overlap"
        assert answer.freshness.stale
        assert workspace.status().read_only
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


def test_a_cache_that_cannot_be_written_and_is_empty_is_a_clear_error(root: Path, disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(StorageFullError, match="C2LLM_CACHE_DIR"):
        Workspace.open(root, encoder=OverlapEncoder(), cache_dir=disk)
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


# -- similar, status --------------------------------------------------------------------------------------------------


def test_similar_code_leaves_out_the_code_itself(root: Path, cache: Path) -> None:
    for name in ("alpha", "beta", "gamma"):
        (root / f"{name}.py").write_text(CODE.format(name))
    with fresh_copy(root, cache) as workspace:
        paths = [hit.chunk.path for hit in workspace.similar(SimilarRequest("alpha.py", 2)).hits]
        assert set(paths) == {"beta.py", "gamma.py"}
        assert workspace.similar(SimilarRequest(text=CODE.format("beta"))).hits[0].chunk.path == "beta.py"
        with pytest.raises(QueryError, match="no code"):
            workspace.similar(SimilarRequest(text="  "))


def test_status_says_what_there_is(root: Path, cache: Path) -> None:
    write_project(root, 4)
    (root / "big.py").write_text("x = 1\n" * 400_000)
    (root / ".gitignore").write_text("*.log\n")
    (root / "a.log").write_text("ignored")
    with fresh_copy(root, cache) as workspace:
        status = workspace.status()
        assert (status.files, status.pending_chunks, status.writer_pid) == (5, 0, 0) or status.files == 4
        assert status.chunks == sum(status.languages.values())
        assert status.skipped["too large"] == 1
        assert status.skipped["ignored"] == 1
        assert (status.encoder, status.index_kind) == ("overlap", status.index_kind)
        assert status.index_bytes > 0
        assert status.vectors_bytes > 0
        assert status.indexed_at is not None


def test_answers_are_given_while_a_run_goes_on(root: Path, cache: Path) -> None:
    write_project(root, 10)
    seen: list[tuple[int, int]] = []
    holder: list[Workspace] = []

    def ask() -> None:
        answer = holder[0].search("send request")
        seen.append((len(answer.hits), answer.freshness.pending_chunks))

    with Workspace.open(root, encoder=CountingEncoder(ask), cache_dir=cache) as workspace:
        holder.append(workspace)
        workspace.refresh()
    assert seen[0][0] > 0
    assert seen[0][1] > 0


def test_two_workspaces_equal_each_other(root: Path, cache: Path) -> None:
    write_project(root, 3)
    with fresh_copy(root, cache) as one, fresh_copy(root, cache.with_name("other")) as two:
        assert rows_of(one) == rows_of(two)
        assert answers_of(one) == answers_of(two)
