"""All definitions of a chunk are stored and found by name; an index of the version before learns them by chunking again."""

from __future__ import annotations

from collections.abc import Callable

from retrieval.chunking import chunk_file, passage
from retrieval.store import FileUpdate, Store
from retrieval.store.rows import FileRow, NewChunk, passage_hash
from retrieval.types import Chunk, Symbol, own_symbols

TEXT = "def alpha(v):\n    return v + 1\n\n\ndef Bravo(v):\n    return v - 1\n"


def stored(store: Store, text: str) -> list[Chunk]:
    chunks = chunk_file("a.py", text)
    new = tuple(NewChunk(chunk, passage_hash(passage(chunk))) for chunk in chunks)
    store.apply([FileUpdate(FileRow("a.py", len(text), 1, 1, digest=text.encode()), new)])
    return chunks


def test_symbols_come_back_as_they_were_stored(store: Store) -> None:
    chunks = stored(store, TEXT)
    assert [chunk for _, chunk in store.chunks.in_file("a.py")] == chunks
    assert [symbol.qualified for symbol in chunks[0].symbols] == ["alpha", "Bravo"]


def test_every_name_of_a_chunk_is_found_in_any_case(store: Store) -> None:
    stored(store, TEXT)
    assert [name for _, name in store.chunks.by_symbol(["bravo", "ALPHA"])] == ["Bravo", "alpha"]
    assert store.chunks.by_symbol(["charlie"]) == []


def test_a_chunk_that_moves_keeps_its_row_and_its_symbols_move(store: Store) -> None:
    stored(store, TEXT)
    before = store.chunks.ids_in_file("a.py").tolist()
    stored(store, "\n\n\n" + TEXT)
    assert store.chunks.ids_in_file("a.py").tolist() == before
    ((_, chunk),) = store.chunks.in_file("a.py")
    assert [(s.name, s.start_line, s.end_line) for s in chunk.symbols] == [("alpha", 4, 5), ("Bravo", 8, 9)]


def test_headers_have_all_names_of_a_chunk_that_defines_several(store: Store) -> None:
    stored(store, TEXT)
    ids = store.chunks.ids_in_file("a.py").tolist()
    assert [header.others for header in store.chunks.headers(ids, 1).values()] == ["alpha\nBravo"]


def test_the_chunks_of_files_are_counted_anew_at_each_revision(store: Store) -> None:
    stored(store, TEXT)
    assert store.chunks.count_in_files(["a.py", "gone.py"], 1) == {"a.py": 1}
    stored(store, TEXT + "\n\ndef charlie(v):\n" + "    v = charlie_of_a_long_line(v, v, v)\n" * 80)
    assert store.chunks.count_in_files(["a.py"], 2)["a.py"] == len(store.chunks.ids_in_file("a.py")) > 1


def test_symbols_go_with_their_chunk(store: Store) -> None:
    stored(store, TEXT)
    store.apply([], ["a.py"])
    assert store.chunks.by_symbol(["Bravo"]) == []


def test_rows_without_symbols_get_them_without_new_rows(store: Store) -> None:
    """As after an update from a version that stored one name a chunk."""
    stored(store, TEXT)
    before = store.chunks.ids_in_file("a.py").tolist()
    with store.database.writing() as db:
        db.execute("DELETE FROM main.symbols")
    assert store.chunks.by_symbol(["Bravo"]) == []
    stored(store, TEXT)
    assert store.chunks.ids_in_file("a.py").tolist() == before
    assert [name for _, name in store.chunks.by_symbol(["Bravo"])] == ["Bravo"]


def test_an_index_of_an_older_version_can_still_be_read_where_it_cannot_be_written(
    opened: Callable[..., Store],
) -> None:
    store = opened()
    stored(store, TEXT)
    with store.database.writing() as db:
        db.execute("DROP TABLE main.symbols")
        db.execute("PRAGMA main.user_version = 3")
    store.close()
    older = opened(read_only=True)
    assert [name for _, name in older.chunks.by_symbol(["alpha", "Bravo"])] == ["alpha"]


def test_a_chunk_that_is_one_definition_needs_no_rows() -> None:
    chunk = Chunk("a.py", "python", "function", "go", "", 3, 9, 0, 1, "x")
    assert own_symbols(chunk) == (Symbol("go", "function", "", 3, 9),)
    assert own_symbols(Chunk("a.md", "markdown", "section", "Title", "", 3, 9, 0, 1, "x")) == ()
