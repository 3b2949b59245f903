"""`c2llm languages`: every language that is told apart, and how its files are cut."""

from __future__ import annotations

from dataclasses import asdict

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, guarded, tell

app = typer.Typer(add_completion=False)


@app.command()
@guarded
def languages(as_json: options.AsJson = False) -> int:
    """List the languages, how each is cut, and the usual endings of its files."""
    from retrieval.chunking.methods import methods

    rows = methods()
    if as_json:
        import json

        typer.echo(json.dumps([asdict(row) for row in rows], indent=2))
        return FOUND
    for row in rows:
        note = f"parts: {row.parts}" if row.parts else row.note
        tell(f"{row.language:<14} {row.method:<9} {note:<46} {' '.join(row.endings)}".rstrip())
    return FOUND
