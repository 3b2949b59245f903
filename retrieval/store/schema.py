"""The two databases on disk, specified beside the code that makes them.

index.db (one a workspace: what is in its files)
    meta        key, value       change (number of commits that altered content), generation (random, names this file),
                                 words_version, chunking_version, ... (see meta.py)
    files       one row a file seen: path, stamp (size, mtime_ns, inode, ctime_ns), digest of its bytes, language, and skip: why
                it has no chunks (NULL if it is indexed). Skipped files have rows so that they are not read again.
                note: why an indexed file could not be parsed, '' where it was.
    chunks      one row a chunk. id is never reused (AUTOINCREMENT), and the passage of a row never changes after it was
                inserted: a graph that holds an id always holds the right vector for it.
                passage is the 16-byte hash of what the encoder reads; the vector is found by it.
    symbols     the definitions in a chunk, in line order (place), where they are more than one that fills it: name, kind,
                scope, first and last line counted from the chunk's first one, so that a chunk that moves keeps its rows.
    words       FTS5 over split identifiers (analyzer.py): symbol, path (with the scope), body. Contentless: the text is in
                chunks already, so the words of a row are computed again where it is deleted. 26 MB at 50,000 chunks of 25
                lines, against 64 MB with the split text stored. Columns and positions are kept (detail=full): bm25()
                gives 0 for every row of a contentless table without them. The ascii tokenizer with "_" only splits at
                spaces, which is all that is left to do, and leaves every other script as it is.
    terms       fts5vocab over words: in how many chunks a word occurs.
    borders     path, digest -> data: the chunk boundaries of a file with that content (chunking/boundaries.py), used
                (unix time). A cache, bounded (chunk_boundaries.py); its size is in meta as borders_bytes. structure: what is
                in structures of that content, '' where an earlier version stored the row.
    structures  one row an indexed file: data, what it defines, calls and imports (chunking/structure/packed.py), and
                the names in it, a line each.
    names       one row a name and file: data, where the name is defined and used there; defines, how often it is defined. Clustered
                by name; the names of a file are known from its row in structures.

vectors.db (one a user, shared by all workspaces and worktrees)
    meta        key, value       generation
    encoders    id, fingerprint, name, dimension
    vectors     encoder, passage -> data (float16, little-endian), made (unix time). Rows are in the order in which they
                were made, so those of one workspace lie together; the unique index (encoder, passage) is what the joins for
                pending work run over, and it is 20 times smaller than the vectors.

A version is the number of migrations applied (PRAGMA user_version). One line a version:
    index 1: meta, files, chunks, words, terms           vectors 1: the above
    index 2: borders
    index 3: files.note
    index 4: files.ctime_ns
    index 5: symbols
    index 6: structures, names, borders.structure
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from retrieval.errors import DamagedStoreError, NewerSchemaError

Migration = Callable[[sqlite3.Connection, str], None]

# A format so far ahead of this program's was not written by a newer one.
_PLAUSIBLE_STEPS = 10_000


def index_m001_files_chunks_words(db: sqlite3.Connection, schema: str) -> None:
    """Everything that version 1 has."""
    db.execute(f"CREATE TABLE {schema}.meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID")
    db.execute(
        f"""CREATE TABLE {schema}.files (
            id INTEGER PRIMARY KEY,
            path TEXT NOT NULL UNIQUE,
            size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
            digest BLOB NOT NULL,
            language TEXT NOT NULL,
            skip TEXT)"""
    )
    db.execute(
        f"""CREATE TABLE {schema}.chunks (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            file INTEGER NOT NULL REFERENCES files(id),
            language TEXT NOT NULL, kind TEXT NOT NULL, symbol TEXT NOT NULL, scope TEXT NOT NULL,
            start_line INTEGER NOT NULL, end_line INTEGER NOT NULL,
            start_byte INTEGER NOT NULL, end_byte INTEGER NOT NULL,
            passage BLOB NOT NULL,
            text TEXT NOT NULL)"""
    )
    # Each of these answers its question without touching the rows, which are wide because they hold the text.
    db.execute(f"CREATE INDEX {schema}.chunks_file ON chunks(file, kind, language)")
    db.execute(f"CREATE INDEX {schema}.chunks_passage ON chunks(passage)")
    db.execute(f"CREATE INDEX {schema}.chunks_symbol ON chunks(symbol COLLATE NOCASE) WHERE symbol <> ''")
    create_words(db, schema)
    _start_meta(db, schema)


def index_m002_borders(db: sqlite3.Connection, schema: str) -> None:
    """Chunk boundaries, for contents that come back."""
    db.execute(
        f"""CREATE TABLE {schema}.borders (
            id INTEGER PRIMARY KEY, path TEXT NOT NULL, digest BLOB NOT NULL, used INTEGER NOT NULL,
            data BLOB NOT NULL)"""
    )
    db.execute(f"CREATE UNIQUE INDEX {schema}.borders_key ON borders(path, digest)")


def index_m003_notes(db: sqlite3.Connection, schema: str) -> None:
    """Why a file is indexed by line windows although its language has a grammar."""
    db.execute(f"ALTER TABLE {schema}.files ADD COLUMN note TEXT NOT NULL DEFAULT ''")


def index_m004_ctime(db: sqlite3.Connection, schema: str) -> None:
    """When a file changed in any way. Rows that are there match no file, so each is read once more, and no more than that
    where its content is the same.
    """
    db.execute(f"ALTER TABLE {schema}.files ADD COLUMN ctime_ns INTEGER NOT NULL DEFAULT 0")


def index_m005_symbols(db: sqlite3.Connection, schema: str) -> None:
    """All names that a chunk defines. They come with the next chunking of the files, which a newer version begins."""
    _create_symbols(db, schema)
    db.execute(f"CREATE INDEX {schema}.symbols_name ON symbols(name COLLATE NOCASE)")


def index_m006_structures(db: sqlite3.Connection, schema: str) -> None:
    """What files define, call and import. It comes with the next chunking of the files, which a newer version begins; nothing is
    embedded for it.
    """
    _create_structures(db, schema)
    db.execute(f"ALTER TABLE {schema}.borders ADD COLUMN structure BLOB NOT NULL DEFAULT x''")


def _create_structures(db: sqlite3.Connection, schema: str) -> None:
    db.execute(f"CREATE TABLE {schema}.structures (file INTEGER PRIMARY KEY, names TEXT NOT NULL, data BLOB NOT NULL)")
    db.execute(
        f"""CREATE TABLE {schema}.names (
            name TEXT NOT NULL, file INTEGER NOT NULL, defines INTEGER NOT NULL, data TEXT NOT NULL,
            PRIMARY KEY (name, file)) WITHOUT ROWID"""
    )


def _create_symbols(db: sqlite3.Connection, schema: str) -> None:
    db.execute(
        f"""CREATE TABLE {schema}.symbols (
            chunk INTEGER NOT NULL, place INTEGER NOT NULL,
            name TEXT NOT NULL, kind TEXT NOT NULL, scope TEXT NOT NULL,
            first INTEGER NOT NULL, last INTEGER NOT NULL,
            PRIMARY KEY (chunk, place)) WITHOUT ROWID"""
    )


def supplement(db: sqlite3.Connection) -> None:
    """Where an older file cannot be migrated because it is only read: what this version reads beyond it, empty."""
    found = version_of(db, "main")
    if 0 < found < INDEX_MIGRATIONS.index(index_m005_symbols) + 1:
        _create_symbols(db, "temp")
    if 0 < found < len(INDEX_MIGRATIONS):
        _create_structures(db, "temp")


def vectors_m001_encoders_vectors(db: sqlite3.Connection, schema: str) -> None:
    """Everything that version 1 has."""
    db.execute(f"CREATE TABLE {schema}.meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID")
    db.execute(
        f"""CREATE TABLE {schema}.encoders (
            id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, name TEXT NOT NULL, dimension INTEGER NOT NULL)"""
    )
    db.execute(
        f"""CREATE TABLE {schema}.vectors (
            id INTEGER PRIMARY KEY,
            encoder INTEGER NOT NULL, passage BLOB NOT NULL, made INTEGER NOT NULL,
            data BLOB NOT NULL)"""
    )
    db.execute(f"CREATE UNIQUE INDEX {schema}.vectors_key ON vectors(encoder, passage)")
    _start_meta(db, schema)


INDEX_MIGRATIONS: tuple[Migration, ...] = (
    index_m001_files_chunks_words,
    index_m002_borders,
    index_m003_notes,
    index_m004_ctime,
    index_m005_symbols,
    index_m006_structures,
)
VECTORS_MIGRATIONS: tuple[Migration, ...] = (vectors_m001_encoders_vectors,)


def create_words(db: sqlite3.Connection, schema: str = "main") -> None:
    """The full-text table, empty, and the view of its terms."""
    db.execute(
        f"""CREATE VIRTUAL TABLE {schema}.words USING fts5(
            symbol, path, body, content='', tokenize="ascii tokenchars '_'")"""
    )
    db.execute(f"CREATE VIRTUAL TABLE {schema}.terms USING fts5vocab(words, 'row')")


def drop_words(db: sqlite3.Connection) -> None:
    db.execute("DROP TABLE IF EXISTS main.terms")
    db.execute("DROP TABLE IF EXISTS main.words")


def version_of(db: sqlite3.Connection, schema: str) -> int:
    return int(db.execute(f"PRAGMA {schema}.user_version").fetchone()[0])


def check_version(found: int, migrations: Sequence[Migration], what: str) -> None:
    """Raise NewerSchemaError for a file that a newer program has written; such a file is never touched. A version that no
    program will have is damage.
    """
    if not 0 <= found <= len(migrations) + _PLAUSIBLE_STEPS:
        raise DamagedStoreError(f"file claims to have format {found}")
    if found > len(migrations):
        raise NewerSchemaError(
            f"{what} was written by a newer c2llm-lsp (format {found}, this program knows up to {len(migrations)}): "
            "update c2llm-lsp, or point C2LLM_CACHE_DIR at another folder."
        )


def migrate(db: sqlite3.Connection, schema: str, migrations: Sequence[Migration], what: str) -> None:
    """Bring a database to the newest version, all steps in one transaction; several processes may try at once."""
    found = version_of(db, schema)
    check_version(found, migrations, what)
    if found == len(migrations):
        return
    with transaction(db, "IMMEDIATE"):
        found = version_of(db, schema)  # another process may have been faster
        check_version(found, migrations, what)
        for step in migrations[found:]:
            step(db, schema)
        db.execute(f"PRAGMA {schema}.user_version = {len(migrations)}")


@contextmanager
def transaction(db: sqlite3.Connection, mode: str = "DEFERRED") -> Iterator[None]:
    """One transaction, for reading or writing: committed where the body ends well, rolled back where it does not.

    SQLite rolls back by itself on an I/O error, a full disk or a lack of memory, also while reading. To commit or roll
    back then is an error of its own ("no transaction is active"), which must not take the place of the cause: the cause
    decides whether the file is repaired, the disk is full or the lock is waited for.
    """
    db.execute(f"BEGIN {mode}")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise


def new_generation() -> str:
    """A name for the very file that holds it: whatever was derived from another file is not valid for this one."""
    return os.urandom(8).hex()


def _start_meta(db: sqlite3.Connection, schema: str) -> None:
    db.execute(f"INSERT INTO {schema}.meta VALUES ('generation', ?)", (new_generation(),))
    if schema == "main":
        db.execute(f"INSERT INTO {schema}.meta VALUES ('change', 0)")
