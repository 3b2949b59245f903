"""What `c2llm callers`, `callees` and `references` are made of: one command, for each relation of a symbol."""

from __future__ import annotations

from typing import Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, INTERRUPTED, NOTHING, Target, guarded, locate, open_workspace, remark, tell
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


def relation_command(relation: Relation, help_text: str) -> typer.Typer:
    """The command that shows a relation of a symbol."""
    app = typer.Typer(add_completion=False)

    @app.command(relation, help=help_text)
    @guarded
    def run(
        symbol: Symbol,
        path: options.WorkspacePath = None,
        limit: Limit = DEFAULT_LIMIT,
        globs: options.PathGlobs = None,
        languages: options.Languages = None,
        within: options.Within = None,
        as_json: options.AsJson = False,
        no_wait: options.NoWait = False,
        quiet: options.Quiet = False,
    ) -> int:
        lines = parse_location(symbol) if is_location(symbol) else None
        target = locate(path, beside=lines.file.parent if lines else None, quiet=quiet)
        filters = options.filters(options.FilterOptions(globs, languages, within=within), root=target.root)
        location = Location(path_in_workspace(target, lines.file), lines.start, lines.end) if lines else None
        request = SymbolRequest(relation, "" if location else symbol, location, filters, limit)
        with open_workspace(target) as workspace:
            if not current(workspace, no_wait=no_wait, quiet=quiet):
                return INTERRUPTED
            result = workspace.symbols.relate(request)
        _show(target, result, as_json=as_json, quiet=quiet)
        return FOUND if result.usages else NOTHING

    return app


def _show(target: Target, result: SymbolAnswer, *, as_json: bool, quiet: bool) -> None:
    from c2llm_lsp.render.symbols import symbol_dict, symbol_notes, usage_line

    if as_json:
        import json

        typer.echo(json.dumps(symbol_dict(result, root=str(target.root)), indent=2))
        return
    for usage in result.usages:
        tell(usage_line(usage, target.show))
    for note in () if quiet else symbol_notes(result, target.show):
        remark(note)
