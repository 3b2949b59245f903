from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from retrieval.errors import StoreError
from retrieval.store import FileRow, FileUpdate, Store, split_identifiers
from retrieval.store.database import Database
from retrieval.types import Filters
from tests.patience import PATIENCE
from tests.store.stored import update, vectors

WEIGHTS = (4.0, 2.0, 1.0)


def test_what_is_stored_comes_back(store: Store) -> None:
    applied = store.apply([update("a.py", "send: def send()", "other text")])
    assert len(applied.added) == 2
    rows = store.chunks.in_file("a.py")
    assert [chunk.text for _, chunk in rows] == ["send: def send()", "other text"]
    assert store.chunks.get([i for i, _ in rows]) == dict(rows)
    assert store.chunks.count() == 2
    assert store.files.count() == 1


def test_an_edit_keeps_the_ids_of_chunks_that_read_the_same(store: Store) -> None:
    first = store.apply([update("a.py", "one", "two", "three")])
    second = store.apply([update("a.py", "zero", "one", "two", "changed")])
    assert second.kept == 2
    assert set(second.removed) == {first.added[2]}
    assert [chunk.text for _, chunk in store.chunks.in_file("a.py")] == ["zero", "one", "two", "changed"]
    assert [chunk.start_line for _, chunk in store.chunks.in_file("a.py")] == [1, 11, 21, 31]


def test_chunks_that_read_the_same_are_kept_as_often_as_they_occur(store: Store) -> None:
    store.apply([update("a.py", "same", "same", "same")])
    applied = store.apply([update("a.py", "same", "same")])
    assert (applied.kept, len(applied.removed), len(applied.added)) == (2, 1, 0)


def test_ids_are_never_used_again(store: Store) -> None:
    first = store.apply([update("a.py", "one")]).added
    store.apply([], ["a.py"])
    second = store.apply([update("a.py", "one")]).added
    assert second[0] > first[0]
    assert store.chunks.last_id() == second[0]


def test_the_change_number_goes_up_with_content_only(store: Store) -> None:
    before = store.revision
    store.apply([update("a.py", "one")])
    assert store.revision == before + 1
    store.apply([FileUpdate(FileRow("a.py", 9, 9, 9, b"digest", "python"), None)])
    assert store.revision == before + 1
    assert store.files.get("a.py") == FileRow("a.py", 9, 9, 9, b"digest", "python")
    assert len(store.chunks.in_file("a.py")) == 1


def test_words_follow_every_change(store: Store) -> None:
    store.apply([update("net/http.py", "sendRequest: opens a connection"), update("b.py", "nothing here")])
    ids = {path: i for path in ("net/http.py", "b.py") for i, _ in store.chunks.in_file(path)}
    assert [i for i, _ in store.full_text.search(["request"], 5, WEIGHTS)] == [ids["net/http.py"]]
    assert [i for i, _ in store.full_text.search(["http"], 5, WEIGHTS)] == [ids["net/http.py"]]
    words = split_identifiers("connection nothing absent").split()
    assert list(store.full_text.document_frequencies(words).values()) == [1, 1, 0]
    store.apply([update("net/http.py", "close: shuts it"), update("b.py", "more")])
    assert store.full_text.search(["request"], 5, WEIGHTS) == []
    assert list(store.full_text.document_frequencies(words).values()) == [0, 0, 0]
    store.apply([], ["net/http.py"])
    assert store.full_text.search(["shut", "http"], 5, WEIGHTS) == []


def test_better_matches_come_first_and_scores_are_positive(store: Store) -> None:
    store.apply([update(f"f{n}.py", f"unrelated text number {n}") for n in range(20)])
    store.apply([update("a.py", "parse: parse parse"), update("b.py", "mentions parse once among other words")])
    rows = store.full_text.search(split_identifiers("parse").split(), 5, WEIGHTS)
    assert [next(iter(store.chunks.get([i]).values())).path for i, _ in rows] == ["a.py", "b.py"]
    assert rows[0][1] > rows[1][1] > 0


@pytest.mark.parametrize("text", ['"', "a OR", "NEAR(", "*", "col:x", "-", "'; DROP TABLE chunks", "\x00", ""])
def test_no_word_is_an_operator(store: Store, text: str) -> None:
    store.apply([update("a.py", "some text")])
    assert store.full_text.search([text], 5, WEIGHTS) == []


def test_symbols_are_found_in_any_case(store: Store) -> None:
    store.apply([update("a.py", "sendRequest: x", "other: y")])
    assert [symbol for _, symbol in store.chunks.by_symbol(["SENDREQUEST", ""])] == ["sendRequest"]
    assert store.chunks.by_symbol([]) == []


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(languages=("python",)), {"src/a.py", "tests/test_a.py"}),
        (Filters(languages=("Go",)), {"src/b.go"}),
        (Filters(paths=("src/",)), {"src/a.py", "src/b.go"}),
        (Filters(paths=("*.py", "!tests/")), {"src/a.py"}),
        (Filters(paths=("!*.go",)), {"src/a.py", "tests/test_a.py"}),
        (Filters(kinds=("function",), paths=("b.go",)), {"src/b.go"}),
        (Filters(kinds=("class",)), set()),
        (Filters(languages=("none",)), set()),
        (Filters(grep="^[xz]"), {"src/a.py", "tests/test_a.py"}),
        (Filters(grep="^[xz]", paths=("src/",)), {"src/a.py"}),
        (Filters(grep="w"), set()),
    ],
)
def test_filters_let_through(store: Store, filters: Filters, expected: set[str]) -> None:
    store.apply([update("src/a.py", "x"), update("src/b.go", "y", language="go"), update("tests/test_a.py", "z")])
    allowed = store.chunks.allowed(filters)
    assert allowed is not None
    assert allowed.tolist() == sorted(allowed.tolist())
    assert {chunk.path for chunk in store.chunks.get(allowed.tolist()).values()} == expected


def test_no_filter_allows_everything(store: Store) -> None:
    assert store.chunks.allowed(Filters()) is None


def test_vectors_belong_to_passages_and_encoders(store: Store) -> None:
    store.apply([update("a.py", "one", "two")])
    pending = store.vectors.pending("first", 10)
    assert store.vectors.pending_count("first") == 2
    matrix = vectors(2)
    store.vectors.put("first", [row.passage for row in pending], matrix)
    ids, rows = store.vectors.get("first", [pending[1].id, pending[0].id, 999])
    assert ids.tolist() == sorted(row.id for row in pending)
    assert np.allclose(rows, matrix, atol=1e-3)
    assert store.vectors.pending_count("first") == 0
    assert store.vectors.pending_count("second") == 2
    assert len(store.vectors.get("second", ids)[0]) == 0
    assert set(store.vectors.of_passages("first", [row.passage for row in pending])) == {r.passage for r in pending}


def test_a_passage_seen_before_needs_no_vector(store: Store) -> None:
    store.apply([update("a.py", "one")])
    pending = store.vectors.pending("e", 10)
    store.vectors.put("e", [pending[0].passage], vectors(1))
    store.apply([], ["a.py"])
    store.apply([update("a.py", "one")])
    assert store.vectors.pending_count("e") == 0
    assert store.vectors.pending("e", 10) == []


def test_another_width_of_the_same_encoder_is_refused(store: Store) -> None:
    store.vectors.put("e", [b"1" * 16], vectors(1, 8))
    with pytest.raises(StoreError, match="dimensions"):
        store.vectors.put("e", [b"2" * 16], vectors(1, 16))


def test_completeness_is_forgotten_with_the_next_change(store: Store) -> None:
    store.apply([update("a.py", "one")])
    store.vectors.put("e", [p.passage for p in store.vectors.pending("e", 9)], vectors(1))
    store.vectors.note_complete("e", "name")
    assert store.vectors.complete("e")
    assert store.vectors.last_encoder() == ("name", "e")
    store.apply([update("b.py", "two")])
    assert not store.vectors.complete("e")
    assert store.vectors.pending_count("e") == 1


def test_pruning_keeps_what_any_workspace_refers_to(tmp_path: Path) -> None:
    shared = tmp_path / "vectors.db"
    with Store.open(tmp_path / "one", vectors=shared) as one, Store.open(tmp_path / "two", vectors=shared) as two:
        one.apply([update("a.py", "mine")])
        two.apply([update("b.py", "theirs")])
        passages = [store.vectors.pending("e", 9)[0].passage for store in (one, two)]
        one.vectors.put("e", [*passages, b"x" * 16], vectors(3))
        generation = one.vectors.database_id()
        assert one.vectors.prune([tmp_path / "one" / "index.db", tmp_path / "two" / "index.db"]) == 1
        assert one.vectors.database_id() != generation
        assert two.vectors.pending_count("e") == 0


def test_a_batch_that_fails_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.apply([update("a.py", "one")])
    broken = update("b.py", "two")
    object.__setattr__(broken.chunks[0].chunk, "kind", None)  # type: ignore[index]
    with pytest.raises(StoreError):
        store.apply([update("c.py", "three"), broken], ["a.py"])
    assert set(store.files.all()) == {"a.py"}
    assert store.full_text.search(["one"], 5, WEIGHTS)
    assert not store.full_text.search(["three"], 5, WEIGHTS)


def test_readers_do_not_wait_for_the_writer(store: Store) -> None:
    store.apply([update("a.py", "one")])
    seen: list[int] = []
    with store.database.writing() as db:
        db.execute("DELETE FROM chunks")
        thread = threading.Thread(target=lambda: seen.append(store.chunks.count()))
        thread.start()
        thread.join(PATIENCE)
        assert seen == [1]
        db.execute("INSERT INTO meta VALUES ('x', 1)")


def test_other_rules_for_words_rebuild_the_full_text_table(
    opened: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened()
    store.apply([update("a.py", "oldWord here")])
    store.close()
    monkeypatch.setattr("retrieval.store.full_text.WORDS_VERSION", 999)
    monkeypatch.setattr("retrieval.store.analyzer.split_identifiers", lambda text: "new " + text.lower())
    store = opened()
    assert store.full_text.search(["new"], 5, WEIGHTS)
    assert store.chunks.count() == 1


def test_counts_say_what_there_is(store: Store) -> None:
    store.apply(
        [
            update("a.py", "one", "two"),
            update("b.go", "three", language="go"),
            FileUpdate(FileRow("c.bin", 1, 1, 1, skip="binary"), ()),
        ]
    )
    counts = store.counts()
    assert (counts.files, counts.chunks) == (2, 3)
    assert counts.languages == {"python": 2, "go": 1}
    assert counts.skipped == {"binary": 1}


def test_many_who_make_a_cache_at_the_same_moment_wait_for_each_other(tmp_path: Path) -> None:
    """Without a second try one opening in some fifty failed: "database is locked"."""
    failures: list[BaseException] = []
    for n in range(6):
        together = threading.Barrier(4)

        def make(k: int, cache: Path = tmp_path / str(n), together: threading.Barrier = together) -> None:
            together.wait()
            try:
                Store.open(cache / f"workspace-{k}", vectors=cache / "vectors.db").close()
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=make, args=(k,)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failures


def test_an_opening_that_finds_the_log_locked_tries_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, tries = Database._connect_once, []

    def locked_at_first(self: Database, check: bool) -> sqlite3.Connection:
        tries.append(check)
        if len(tries) < 3:
            raise sqlite3.OperationalError("database is locked")
        return whole(self, check)

    monkeypatch.setattr(Database, "_connect_once", locked_at_first)
    Store.open(tmp_path / "workspace", vectors=tmp_path / "vectors.db").close()
    assert len(tries) == 3
