"""`c2llm status`: what is indexed, with which model, what is pending. Looks at the index only, never at the files."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, guarded, locate, open_workspace, remark, tell
from c2llm_lsp.cli.doctor_checks import size
from c2llm_lsp.cli.finetuned import adaptation_summary, adapted

if TYPE_CHECKING:
    from retrieval.engine import Status

app = typer.Typer(add_completion=False)


@app.command()
@guarded
def status(path: options.WorkspacePath = None, as_json: options.AsJson = False, encoder: options.Encoder = None) -> int:
    """Show what is indexed, with which model, and what is pending."""
    target = locate(path, encoder=encoder)
    with open_workspace(target) as workspace:
        index_status = workspace.status()
    tuned = adapted(target)
    if as_json:
        import json

        report = {
            "schema_version": 1,
            **asdict(index_status),
            "root": str(index_status.root),
            "folder": str(index_status.folder),
        }
        report["adapted"] = asdict(tuned) if tuned is not None else None
        typer.echo(json.dumps(report, indent=2))
        return FOUND
    for name, text in rows(index_status):
        tell(f"{name:<12} {text}")
        if name == "encoder" and tuned is not None:
            tell(f"{'adapted':<12} {adaptation_summary(tuned, target.loaded.base)}")
    for note in index_status.notes:
        remark(note)
    return FOUND


def rows(index_status: Status) -> list[tuple[str, str]]:
    """The lines for people."""
    languages = ", ".join(f"{name} {count:,}" for name, count in index_status.languages.items())
    skipped = ", ".join(f"{count:,} {reason}" for reason, count in index_status.skipped.items())
    vectors = {"": "not opened yet", "exact": "every vector compared", "hnsw": "by a graph (HNSW)"}[
        index_status.index_kind
    ]
    pending = (
        f"{index_status.pending_chunks:,} chunks without vectors (keyword search only)"
        if index_status.pending_chunks
        else "nothing"
    )
    sizes = (index_status.index_bytes, index_status.graph_bytes, index_status.vectors_bytes)
    index_size, graph_size, vectors_size = map(size, sizes)
    on_disk = f"{index_size} index, {graph_size} graph, {vectors_size} vectors"
    table = [
        ("workspace", str(index_status.root)),
        ("indexed", f"{index_status.files:,} files, {index_status.chunks:,} chunks ({ago(index_status.indexed_at)})"),
        ("languages", languages or "none"),
        ("left out", skipped or "nothing"),
        ("encoder", f"{index_status.encoder or 'none'} {index_status.fingerprint}".rstrip()),
        ("pending", pending),
        ("search", vectors),
        ("on disk", f"{on_disk} of all workspaces, in {index_status.folder}"),
    ]
    if index_status.writer_pid:
        table.append(("writer", f"process {index_status.writer_pid} is indexing now"))
    if index_status.read_only:
        table.append(("read only", "the cache folder cannot be written"))
    return table


def ago(moment: float | None) -> str:
    """How long ago, in the largest unit that fits."""
    if moment is None:
        return "never indexed"
    seconds = max(0.0, time.time() - moment)
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"last change {count} {unit}{'s' if count > 1 else ''} ago"
    return "last change just now"
