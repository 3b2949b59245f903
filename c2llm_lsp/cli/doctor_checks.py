"""The checks of `c2llm doctor`. A check yields findings and never raises: broken installations are its purpose."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from c2llm_lsp import __version__
from c2llm_lsp.cli.check_result import Finding
from c2llm_lsp.cli.common import Target, open_workspace
from c2llm_lsp.render.error_messages import error_message

if TYPE_CHECKING:
    from retrieval.engine import Status, Workspace

LOW_SPACE = 500_000_000  # bytes; 100,000 chunks with their texts and vectors take about half of that
SLOW_PASSAGE = 50.0  # milliseconds; a thousand chunks then take most of a minute


Check = Callable[[Target], Iterator[Finding]]


def examine(target: Target, checks: tuple[Check, ...]) -> Iterator[Finding]:
    """All findings of all checks, one by one."""
    for check in checks:
        try:
            yield from check(target)
        except Exception as error:
            yield Finding(check.__name__, "broken", error_message(error))


def program(_: Target) -> Iterator[Finding]:
    cores = os.cpu_count() or 1
    system = f"{platform.system()} {platform.machine()}, {cores} cores"
    yield Finding("c2llm", "ok", f"{__version__}, Python {platform.python_version()}, {system}")


def sqlite(_: Target) -> Iterator[Finding]:
    import sqlite3

    with sqlite3.connect(":memory:") as database:
        options = {row[0] for row in database.execute("PRAGMA compile_options")}
    database.close()
    if "ENABLE_FTS5" in options:
        yield Finding("SQLite", "ok", f"{sqlite3.sqlite_version} with FTS5")
    else:
        yield Finding(
            "SQLite", "broken", f"{sqlite3.sqlite_version} without FTS5", "use a Python whose SQLite has FTS5"
        )


def hnswlib(_: Target) -> Iterator[Finding]:
    from retrieval.vectors import hnsw_problem

    if problem := hnsw_problem():
        text, _colon, todo = problem.partition(": ")
        yield Finding("hnswlib", "note", text.removeprefix("hnswlib ").strip(), todo.removesuffix("."))
    else:
        yield Finding("hnswlib", "ok", metadata.version("hnswlib"))


def grammars(_: Target) -> Iterator[Finding]:
    from retrieval.chunking.grammars import GRAMMARS, load

    missing = sorted(name for name in GRAMMARS if not GRAMMARS[name].extra and load(name) is None)
    version = metadata.version("tree-sitter")
    if missing:
        text = f"{version}; chunked by lines instead of syntax: {', '.join(missing)}"
        packages = sorted({GRAMMARS[name].module.replace("_", "-") for name in missing})
        yield Finding("tree-sitter", "note", text, f"pip install --force-reinstall {' '.join(packages)}")
    else:
        yield Finding("tree-sitter", "ok", f"{version}; {len(GRAMMARS)} languages")


def model(target: Target) -> Iterator[Finding]:
    from c2llm_lsp.cli.model import probe

    settings = target.settings
    yield from _wire(settings.encoder)
    row = probe(settings)
    device = f" on {row.runs_on}" if row.runs_on else ""
    text = f"{row.name}{device}, {row.dimension} dimensions, fingerprint {row.fingerprint}"
    yield Finding(
        "model", "ok", f"{text}; loaded in {row.load_seconds:.2f} s, a passage takes {row.milliseconds:.1f} ms"
    )
    if row.milliseconds > SLOW_PASSAGE:
        text = f"{row.milliseconds:.0f} ms for a short passage is slow: the first index takes long"
        yield Finding("model", "note", text, "set C2LLM_THREADS, or c2llm model use embedded")


def _wire(encoder: str) -> Iterator[Finding]:
    """What is sent to other machines, and how."""
    from retrieval.encoders import is_address

    if not is_address(encoder):
        return
    from retrieval.encoders.remote import parse

    address = parse(encoder)
    text = f"code and queries are sent to {address.host}, {'with' if address.key() else 'without'} a key"
    if address.local or address.url.startswith("https:"):
        yield Finding("encoder", "ok", text)
    else:
        yield Finding("encoder", "note", f"{text}, unencrypted", "use https outside of trusted networks")


def cache(target: Target) -> Iterator[Finding]:
    from retrieval.private_files import private_cache
    from retrieval.store.cache_paths import cache_folder

    folder = cache_folder(target.settings.cache)
    private_cache(folder)
    started = time.perf_counter()
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"c2llm")
        file.flush()
        os.fsync(file.fileno())
    milliseconds = 1e3 * (time.perf_counter() - started)
    free = shutil.disk_usage(folder).free
    text = f"{folder}: {size(folder_size(folder))} used, {size(free)} free, {milliseconds:.0f} ms to write"
    if free < LOW_SPACE:
        yield Finding("cache", "note", text, "free some space, or set C2LLM_CACHE_DIR")
    else:
        yield Finding("cache", "ok", text)


def settings(target: Target) -> Iterator[Finding]:
    from c2llm_lsp.settings import config_file

    for warning in target.loaded.warnings:
        yield Finding("settings", "note", warning)
    sources = ", ".join(f"{name} by {source}" for name, source in sorted(target.loaded.sources.items()))
    yield Finding("settings", "ok", f"{sources or 'all defaults'}; the user's file is {config_file()}")


def watching(target: Target) -> Iterator[Finding]:
    from retrieval.files.watch_limits import require_watches

    try:
        require_watches(target.root)
    except OSError as error:
        todo = "sudo sysctl fs.inotify.max_user_watches=524288"
        yield Finding("file events", "note", f"unavailable ({error.strerror}); polling every few seconds", todo)
    else:
        yield Finding("file events", "ok", f"watchdog {metadata.version('watchdog')}")


def folder_size(folder: Path) -> int:
    """Bytes of all files in a folder; files deleted meanwhile are ignored."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total


def size(number: float) -> str:
    """Bytes in a human-readable unit."""
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"


def index(target: Target) -> Iterator[Finding]:
    """Whether the index exists, is intact, complete and fast to search."""
    from retrieval.store.cache_paths import vectors_file, workspace_folder
    from retrieval.store.damage import INDEX, VECTORS, damage_of
    from retrieval.store.database import INDEX_FILE

    file = workspace_folder(target.root, target.settings.cache) / INDEX_FILE
    if not file.exists():
        yield Finding("index", "note", f"{target.root} is not indexed yet", "c2llm index")
        return
    damaged = False
    for name, path, part in (("index", file, INDEX), ("vectors", vectors_file(target.settings.cache), VECTORS)):
        if reason := damage_of(path, part):
            damaged = True
            yield Finding(name, "broken", f"{path} is damaged ({reason})", "c2llm index, which repairs it")
    if not damaged:
        yield from _content(target)


def _content(target: Target) -> Iterator[Finding]:
    with open_workspace(target) as workspace:
        status = workspace.status()
        text = f"{status.files:,} files, {status.chunks:,} chunks, revision {status.revision}; integrity check passed"
        yield Finding("index", "ok", text)
        if status.writer_pid:
            yield Finding("index", "note", f"process {status.writer_pid} is indexing now: queries use some of the CPU")
        if status.pending_chunks:
            text = f"{status.pending_chunks:,} of {status.chunks:,} chunks have no vector yet: keyword search only"
            yield Finding("index", "note", text, "c2llm index")
        for note in status.notes:
            yield Finding("index", "note", note)
        yield from _graph(workspace, status)


def _graph(workspace: Workspace, status: Status) -> Iterator[Finding]:
    from retrieval.indexing.vector_sync import GRAPH_FROM
    from retrieval.vectors import hnsw_problem, load

    snapshots = sorted(status.folder.glob("graph-*.hnsw"))
    current = None
    for path in snapshots:
        loaded = load(path, status.fingerprint, workspace.store.meta.database_id) if not hnsw_problem() else None
        if loaded is not None:
            current = loaded
    if current is not None:
        behind = status.revision - current[1]
        text = f"{len(current[0]):,} vectors, checksum OK, {behind} revisions behind"
        yield Finding("graph", "ok", text)
    elif status.chunks >= GRAPH_FROM:
        text = f"no usable graph: each query compares all {status.chunks:,} vectors, which takes milliseconds more"
        yield Finding(
            "graph", "note", text, "c2llm index, which makes it" if not hnsw_problem() else "see hnswlib above"
        )
    else:
        yield Finding("graph", "ok", f"not needed below {GRAPH_FROM:,} chunks")
