"""What `c2llm doctor` looks at. A check gives findings, never an exception: broken installations are what it is for."""

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
from c2llm_lsp.cli.common import Place, open_workspace
from c2llm_lsp.render.error_messages import error_message

if TYPE_CHECKING:
    from retrieval.engine import Status, Workspace

LOW_SPACE = 500_000_000  # bytes; 100,000 chunks with their texts and vectors take about half of that
SLOW_PASSAGE = 50.0  # milliseconds; a thousand chunks then take most of a minute


Check = Callable[[Place], Iterator[Finding]]


def examine(place: Place, checks: tuple[Check, ...]) -> Iterator[Finding]:
    """All findings of all checks, as they come."""
    for check in checks:
        try:
            yield from check(place)
        except Exception as error:
            yield Finding(check.__name__, "broken", error_message(error))


def program(_: Place) -> Iterator[Finding]:
    cores = os.cpu_count() or 1
    system = f"{platform.system()} {platform.machine()}, {cores} cores"
    yield Finding("c2llm", "ok", f"{__version__}, Python {platform.python_version()}, {system}")


def sqlite(_: Place) -> Iterator[Finding]:
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


def hnswlib(_: Place) -> Iterator[Finding]:
    from retrieval.vectors import hnsw_problem

    if problem := hnsw_problem():
        text, _colon, todo = problem.partition(": ")
        yield Finding("hnswlib", "note", text.removeprefix("hnswlib ").strip(), todo.removesuffix("."))
    else:
        yield Finding("hnswlib", "ok", metadata.version("hnswlib"))


def grammars(_: Place) -> Iterator[Finding]:
    from retrieval.chunking.grammars import GRAMMARS, load

    missing = sorted(name for name in GRAMMARS if load(name) is None)
    version = metadata.version("tree-sitter")
    if missing:
        text = f"{version}; cut by lines instead of syntax: {', '.join(missing)}"
        packages = sorted({GRAMMARS[name].module.replace("_", "-") for name in missing})
        yield Finding("tree-sitter", "note", text, f"pip install --force-reinstall {' '.join(packages)}")
    else:
        yield Finding("tree-sitter", "ok", f"{version}; {len(GRAMMARS)} languages")


def model(place: Place) -> Iterator[Finding]:
    from c2llm_lsp.cli.model import probe

    settings = place.settings
    yield from _wire(settings.encoder)
    found = probe(settings)
    place_of = f" on {found.runs_on}" if found.runs_on else ""
    text = f"{found.name}{place_of}, {found.dimension} numbers a vector, fingerprint {found.fingerprint}"
    yield Finding(
        "model", "ok", f"{text}; loaded in {found.load_seconds:.2f} s, a passage takes {found.milliseconds:.1f} ms"
    )
    if found.milliseconds > SLOW_PASSAGE:
        text = f"{found.milliseconds:.0f} ms for a short passage is slow: the first index will take its time"
        yield Finding("model", "note", text, "set C2LLM_THREADS, or c2llm model use embedded")


def _wire(encoder: str) -> Iterator[Finding]:
    """What leaves this machine, and how."""
    from retrieval.encoders import is_address

    if not is_address(encoder):
        return
    from retrieval.encoders.remote import parse

    address = parse(encoder)
    text = f"code and questions are sent to {address.host}, {'with' if address.key() else 'without'} a key"
    if address.local or address.url.startswith("https:"):
        yield Finding("encoder", "ok", text)
    else:
        yield Finding(
            "encoder", "note", f"{text}, readable on the way there", "use https outside of networks you trust"
        )


def cache(place: Place) -> Iterator[Finding]:
    from retrieval.store.cache_paths import cache_folder

    folder = cache_folder(place.settings.cache)
    folder.mkdir(parents=True, exist_ok=True)
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


def settings(place: Place) -> Iterator[Finding]:
    from c2llm_lsp.settings import config_file

    for warning in place.loaded.warnings:
        yield Finding("settings", "note", warning)
    chosen = ", ".join(f"{name} by {source}" for name, source in sorted(place.loaded.sources.items()))
    yield Finding("settings", "ok", f"{chosen or 'all defaults'}; the user's file is {config_file()}")


def watching(place: Place) -> Iterator[Finding]:
    from retrieval.files.watch_limits import require_watches

    try:
        require_watches(place.root)
    except OSError as error:
        todo = "sudo sysctl fs.inotify.max_user_watches=524288"
        yield Finding("file events", "note", f"none to be had ({error.strerror}): watch looks every few seconds", todo)
    else:
        yield Finding("file events", "ok", f"watchdog {metadata.version('watchdog')}")


def folder_size(folder: Path) -> int:
    """Bytes of all files below; what vanishes meanwhile counts as nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total


def size(number: float) -> str:
    """Bytes as people read them."""
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"


def index(place: Place) -> Iterator[Finding]:
    """Is it there, whole, complete, and fast to search?"""
    from retrieval.store.cache_paths import vectors_file, workspace_folder
    from retrieval.store.database import INDEX, INDEX_FILE, VECTORS, damage_of

    file = workspace_folder(place.root, place.settings.cache) / INDEX_FILE
    if not file.exists():
        yield Finding("index", "note", f"{place.root} is not indexed yet", "c2llm index")
        return
    damaged = False
    for name, path, part in (("index", file, INDEX), ("vectors", vectors_file(place.settings.cache), VECTORS)):
        if reason := damage_of(path, part):
            damaged = True
            yield Finding(name, "broken", f"{path} is damaged ({reason})", "c2llm index, which repairs it")
    if not damaged:
        yield from _content(place)


def _content(place: Place) -> Iterator[Finding]:
    with open_workspace(place) as workspace:
        found = workspace.status()
        text = f"{found.files:,} files, {found.chunks:,} chunks, change {found.change}; passed a complete check"
        yield Finding("index", "ok", text)
        if found.writer_pid:
            yield Finding("index", "note", f"process {found.writer_pid} is indexing now: queries use some of the CPU")
        if found.pending_chunks:
            text = f"{found.pending_chunks:,} of {found.chunks:,} chunks have no vector yet: found by words only"
            yield Finding("index", "note", text, "c2llm index")
        for note in found.notes:
            yield Finding("index", "note", note)
        yield from _graph(workspace, found)


def _graph(workspace: Workspace, found: Status) -> Iterator[Finding]:
    from retrieval.indexing.vector_sync import GRAPH_FROM
    from retrieval.vectors import hnsw_problem, load

    snapshots = sorted(found.folder.glob("graph-*.hnsw"))
    current = None
    for path in snapshots:
        loaded = load(path, found.fingerprint, workspace.store.meta.database_id) if not hnsw_problem() else None
        if loaded is not None:
            current = loaded
    if current is not None:
        behind = found.change - current[1]
        text = f"{len(current[0]):,} vectors, its checksum is right, {behind} changes behind the index"
        yield Finding("graph", "ok", text)
    elif found.chunks >= GRAPH_FROM:
        text = f"none that can be used: each query compares all {found.chunks:,} vectors, which takes milliseconds more"
        yield Finding(
            "graph", "note", text, "c2llm index, which makes it" if not hnsw_problem() else "see hnswlib above"
        )
    else:
        yield Finding("graph", "ok", f"not needed below {GRAPH_FROM:,} chunks")
