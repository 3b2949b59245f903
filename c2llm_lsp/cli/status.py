"""`c2llm status`: what is indexed, with which model, what is pending. Looks at the index only, never at the files."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, guarded, locate, open_workspace, remark, tell
from c2llm_lsp.cli.doctor_checks import size
from c2llm_lsp.cli.finetuned import adapted, told

if TYPE_CHECKING:
    from retrieval.engine import Status

app = typer.Typer(add_completion=False)


@app.command()
@guarded
def status(path: options.WorkspacePath = None, as_json: options.AsJson = False, encoder: options.Encoder = None) -> int:
    """Show what is indexed, with which model, and what is pending."""
    place = locate(path, encoder=encoder)
    with open_workspace(place) as workspace:
        found = workspace.status()
    tuned = adapted(place)
    if as_json:
        import json

        report = {"schema_version": 1, **asdict(found), "root": str(found.root), "folder": str(found.folder)}
        report["adapted"] = asdict(tuned) if tuned is not None else None
        typer.echo(json.dumps(report, indent=2))
        return FOUND
    for name, text in rows(found):
        tell(f"{name:<12} {text}")
        if name == "encoder" and tuned is not None:
            tell(f"{'adapted':<12} {told(tuned, place.loaded.base)}")
    for note in found.notes:
        remark(note)
    return FOUND


def rows(found: Status) -> list[tuple[str, str]]:
    """The lines for people."""
    languages = ", ".join(f"{name} {count:,}" for name, count in found.languages.items())
    skipped = ", ".join(f"{count:,} {reason}" for reason, count in found.skipped.items())
    vectors = {"": "not opened yet", "exact": "every vector compared", "hnsw": "by a graph (HNSW)"}[found.index_kind]
    pending = f"{found.pending_chunks:,} chunks searchable by words only" if found.pending_chunks else "nothing"
    on_disk = f"{size(found.index_bytes)} index, {size(found.graph_bytes)} graph, {size(found.vectors_bytes)} vectors"
    table = [
        ("workspace", str(found.root)),
        ("indexed", f"{found.files:,} files, {found.chunks:,} chunks ({ago(found.indexed_at)})"),
        ("languages", languages or "none"),
        ("left out", skipped or "nothing"),
        ("encoder", f"{found.encoder or 'none'} {found.fingerprint}".rstrip()),
        ("pending", pending),
        ("search", vectors),
        ("on disk", f"{on_disk} of all workspaces, in {found.folder}"),
    ]
    if found.writer_pid:
        table.append(("writer", f"process {found.writer_pid} is indexing now"))
    if found.read_only:
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
