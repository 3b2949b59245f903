"""What `c2llm callers`, `callees` and `references` share: their options, asking, and printing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, INTERRUPTED, NOTHING, Target, locate, open_workspace, remark, tell
from c2llm_lsp.cli.location import is_location, parse_location, path_in_workspace
from c2llm_lsp.cli.search import current
from retrieval.structure import Relation, SymbolAnswer, SymbolRequest
from retrieval.types import Location

DEFAULT_LIMIT = 50

Symbol = Annotated[
    str,
    typer.Argument(
        metavar="SYMBOL|FILE:LINE", help="A name as in apply or Store.apply, or a line inside its definition."
    ),
]
Limit = Annotated[
    int,
    typer.Option("-k", "--limit", min=1, max=10_000, help="Number of results.", show_default=True),
]


@dataclass(frozen=True, slots=True)
class Shared:
    """The options of these commands."""

    limit: int
    globs: list[str] | None
    languages: list[str] | None
    as_json: bool
    no_wait: bool
    quiet: bool


def answer(relation: Relation, symbol: str, path: Path | None, settings: Shared) -> int:
    """Ask, print, and say by the exit code whether anything was found."""
    lines = parse_location(symbol) if is_location(symbol) else None
    target = locate(path, beside=lines.file.parent if lines else None, quiet=settings.quiet)
    filters = options.filters(options.FilterOptions(settings.globs, settings.languages), root=target.root)
    location = Location(path_in_workspace(target, lines.file), lines.start, lines.end) if lines else None
    request = SymbolRequest(relation, "" if location else symbol, location, filters, settings.limit)
    with open_workspace(target) as workspace:
        if not current(workspace, no_wait=settings.no_wait, quiet=settings.quiet):
            return INTERRUPTED
        result = workspace.symbols.relate(request)
    show(target, result, as_json=settings.as_json, quiet=settings.quiet)
    return FOUND if result.usages else NOTHING


def show(target: Target, result: SymbolAnswer, *, as_json: bool, quiet: bool) -> None:
    from c2llm_lsp.render.symbols import symbol_dict, symbol_notes, usage_line

    if as_json:
        import json

        typer.echo(json.dumps(symbol_dict(result, root=str(target.root)), indent=2))
        return
    for usage in result.usages:
        tell(usage_line(usage, target.show))
    for note in () if quiet else symbol_notes(result, target.show):
        remark(note)
