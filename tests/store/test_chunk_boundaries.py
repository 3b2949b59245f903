"""How files were cut is remembered by path and content, and forgotten in order of use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from retrieval.store import FileUpdate, Store, chunk_boundaries
from tests.store.stored import update


def cut(path: str, content: str, size: int = 100) -> FileUpdate:
    made = update(path, f"name: {content}")
    return replace(made, file=replace(made.file, digest=content.encode()), boundaries=b"[" * size)


def remembered(store: Store, path: str) -> list[str]:
    return [c for c in ("one", "two", "three", "four") if store.files.boundaries(path, c.encode()) is not None]


def test_each_content_of_a_path_is_remembered(store: Store) -> None:
    store.apply([cut("a.py", "one"), cut("b.py", "one")])
    store.apply([cut("a.py", "two")], ["b.py"])
    assert remembered(store, "a.py") == ["one", "two"]
    assert remembered(store, "b.py") == ["one"]
    assert store.files.boundaries("c.py", b"one") is None


def test_it_survives_opening_again(opened: Callable[..., Store]) -> None:
    store = opened()
    store.apply([cut("a.py", "one")])
    store.close()
    assert remembered(opened(), "a.py") == ["one"]


def test_what_was_used_longest_ago_goes_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunk_boundaries, "MAX_BYTES", 350)
    clock = iter(range(1_000_000, 10_000_000, 10_000))
    monkeypatch.setattr(chunk_boundaries.time, "time", lambda: next(clock))
    for content in ("one", "two", "three"):
        store.apply([cut("a.py", content)])
    store.apply([replace(cut("a.py", "one"), boundaries=None)])  # found, and used again
    store.apply([cut("a.py", "four")])
    assert remembered(store, "a.py") == ["one", "four"]


def test_it_never_grows_beyond_its_bound(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunk_boundaries, "MAX_BYTES", 5_000)
    for number in range(100):
        store.apply([cut(f"{number % 7}.py", str(number), 50 + number)])
        with store.database.reading() as db:
            (size,) = db.execute("SELECT sum(length(data)) FROM borders").fetchone()
        assert size == store.meta.get(chunk_boundaries.BOUNDARIES_BYTES) <= 5_000
