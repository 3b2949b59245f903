"""`c2llm chunks FILE`: how a file is cut, without an index: language, kind, scope, symbol, first and last line."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, NOTHING, guarded, tell
from c2llm_lsp.render.escape import escape_line
from retrieval.errors import QueryError

app = typer.Typer(add_completion=False)


@app.command()
@guarded
def chunks(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of code or text.")],
    as_json: options.AsJson = False,
) -> int:
    """Show how a file is cut: language, kind, name, first and last line of each definition.

    Small definitions that share a chunk have the same number.
    """
    from retrieval.chunking import language_of
    from retrieval.chunking.listing import parts_of
    from retrieval.files import read_file
    from retrieval.indexing.folder_neighbors import FolderNeighbors
    from retrieval.indexing.shared_worker import chunks_of_buffer
    from retrieval.types import Skip

    if not file.is_file():
        raise QueryError(f"There is no file {file}.")
    source = read_file(file.absolute().parent, file.name)
    if isinstance(source, Skip):
        raise QueryError(f"{file} is not indexed: {source.reason}.")
    beside = FolderNeighbors(file.absolute().parent, lambda _: False)
    language = language_of(file.name, source.text, lambda: beside.endings(file.name))
    parts = parts_of(chunks_of_buffer(file.as_posix(), source.text, language))
    if as_json:
        import json

        typer.echo(json.dumps([asdict(part) for part in parts], indent=2, ensure_ascii=False))
        return FOUND
    for part in parts:
        name = ".".join(name for name in (part.scope, part.symbol) if name)
        lines = f"{part.start_line}-{part.end_line}"
        tell(f"{part.chunk + 1:>4}  {lines:<12} {part.language:<12} {part.kind:<9} {escape_line(name)}".rstrip())
    return FOUND if parts else NOTHING
