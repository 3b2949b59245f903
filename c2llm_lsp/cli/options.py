"""Arguments and options that several subcommands share, so that they read and behave alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from retrieval.types import CHUNK_KINDS, Filters

WorkspacePath = Annotated[
    Path | None,
    typer.Argument(metavar="PATH", help="The workspace; without it the repository around the current directory."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Encoder = Annotated[str | None, typer.Option("--encoder", help="Embedding model for this command.", show_default=False)]
Limit = Annotated[
    int | None,
    typer.Option("-k", "--limit", "--results", min=1, max=1000, help="Number of results.", show_default="10"),
]
PathGlobs = Annotated[
    list[str] | None,
    typer.Option("--path", help="Only paths that match this glob; with ! in front, only others. May be repeated."),
]
Languages = Annotated[
    list[str] | None, typer.Option("--lang", help="Only this language, as in go, ts or .py. May be repeated.")
]
Kinds = Annotated[
    list[str] | None, typer.Option("--kind", help=f"Only this kind: {', '.join(CHUNK_KINDS)}. May be repeated.")
]
ContextLines = Annotated[
    int | None,
    typer.Option("--context-lines", "-C", min=0, max=1000, help="Lines around each line shown.", show_default="0"),
]
Explain = Annotated[bool, typer.Option("--explain", help="Show the contribution of each signal to the score.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Answer from the current index without updating it.")]


def filters(globs: list[str] | None, languages: list[str] | None, kinds: list[str] | None, *, root: Path) -> Filters:
    """The filters of a command line. Each value may hold several, separated by commas, but for globs. Raises QueryError
    before anything is indexed.
    """
    from retrieval.engine.requests import normalize_filters

    return normalize_filters(Filters(_split(languages), tuple(globs or ()), _split(kinds)), root)


def _split(values: list[str] | None) -> tuple[str, ...]:
    return tuple(part.strip().lower() for value in values or () for part in value.split(",") if part.strip())
