"""Whole indexes as plain data, so that two of them can be compared, and an encoder that counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from retrieval.encoders import OverlapEncoder, Vectors
from retrieval.engine import Workspace
from retrieval.store import split_identifiers

WEIGHTS = (4.0, 2.0, 1.0)
QUERIES = ("send request", "parse", "value of the option", "class base", "alpha", "beta gamma", "zeta")


class CountingEncoder(OverlapEncoder):
    """Counts what it embeds; `before` is called before each batch."""

    def __init__(self, before: Callable[[], None] = lambda: None, dimension: int = 256) -> None:
        super().__init__(dimension)
        self.passages: list[str] = []
        self.before = before

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.before()
        self.passages.extend(texts)
        return super().encode_passages(texts)


def rows_of(workspace: Workspace) -> list[tuple[object, ...]]:
    """All chunks, each with its file's digest and its vector's bytes, without the ids that depend on history."""
    store, fingerprint = workspace.store, workspace.encoder.fingerprint
    ids, matrix = store.vectors.all(fingerprint)
    vectors = dict(zip(ids.tolist(), matrix, strict=True))
    rows: list[tuple[object, ...]] = []
    for path, file in store.files.all().items():
        for i, chunk in store.chunks.in_file(path):
            rows.append(
                (path, file.digest, file.language, file.skip, chunk, vectors[i].tobytes() if i in vectors else b"")
            )
        if not store.chunks.in_file(path):
            rows.append((path, file.digest, file.language, file.skip, None, b""))
    return sorted(rows, key=lambda row: (row[0], row[4].start_byte if row[4] else -1, row[4].text if row[4] else ""))


def names_of(workspace: Workspace) -> list[tuple[object, ...]]:
    """What files define, call and import, as stored, without the ids that depend on history."""
    with workspace.store.database.reading() as db:
        names = db.execute("SELECT path, name, defines, data FROM names JOIN main.files f ON f.id = file").fetchall()
        files = db.execute("SELECT path, data FROM structures JOIN main.files f ON f.id = file").fetchall()
        left = db.execute("SELECT count(*) FROM names").fetchone()[0] - len(names)
    assert left == 0, "names of files that are gone"
    return sorted([*names, *files], key=lambda row: row[:2] if len(row) > 2 else (row[0], ""))


def answers_of(workspace: Workspace) -> list[list[tuple[object, ...]]]:
    """What words and vectors answer to fixed questions, equals in order of place."""
    out = []
    index = workspace.context.vector_index(workspace.encoder).current()
    for query in QUERIES:
        terms = split_identifiers(query).split()
        lexical = workspace.store.full_text.search(terms, 10_000, WEIGHTS)
        vector = workspace.encoder.encode_queries([query])[0]
        dense = list(zip(*index.search(vector, 10_000), strict=True))
        for found in (lexical, dense):
            chunks = workspace.store.chunks.get([int(i) for i, _ in found])
            places = [(round(float(s), 4), chunks[int(i)].path, chunks[int(i)].start_byte) for i, s in found]
            out.append(sorted(places, key=lambda place: (-place[0], place[1:])))
        out.append(sorted(store_frequencies(workspace, terms)))
    return out


def store_frequencies(workspace: Workspace, terms: list[str]) -> list[tuple[str, int]]:
    return list(workspace.store.full_text.document_frequencies(terms).items())


def fresh_copy(root: Path, cache: Path, encoder: OverlapEncoder | None = None) -> Workspace:
    """An index made from nothing."""
    workspace = Workspace.open(root, encoder=encoder or OverlapEncoder(), cache_dir=cache)
    workspace.refresh()
    return workspace


def check_equals_fresh(workspace: Workspace, cache: Path) -> None:
    """The index is what one made from nothing would be, and whole in itself."""
    with fresh_copy(workspace.root, cache) as fresh:
        assert rows_of(workspace) == rows_of(fresh)
        assert names_of(workspace) == names_of(fresh)
        assert answers_of(workspace) == answers_of(fresh)
    ids = workspace.store.chunks.ids()
    assert np.array_equal(workspace.store.vectors.ids(workspace.encoder.fingerprint), ids)
    assert workspace.store.vectors.pending_count(workspace.encoder.fingerprint) == 0


def write_project(root: Path, files: int, functions: int = 6) -> None:
    """A project of Python files whose functions differ."""
    for number in range(files):
        path = root / f"pkg{number % 5}" / f"module_{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        parts = [
            f"def function_{number}_{k}(value):\n"
            + "".join(f"    step_{j} = value + {number * 31 + k * 7 + j}  # send request {j}\n" for j in range(12))
            + "    return step_0\n\n\n"
            for k in range(functions)
        ]
        path.write_text("".join(parts))
