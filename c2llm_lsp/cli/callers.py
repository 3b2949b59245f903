"""`c2llm callers`: see relations.py."""

from __future__ import annotations

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import guarded
from c2llm_lsp.cli.relations import DEFAULT_LIMIT, Limit, Shared, Symbol, answer

app = typer.Typer(add_completion=False)


@app.command()
@guarded
def callers(
    symbol: Symbol,
    path: options.WorkspacePath = None,
    limit: Limit = DEFAULT_LIMIT,
    globs: options.PathGlobs = None,
    languages: options.Languages = None,
    as_json: options.AsJson = False,
    no_wait: options.NoWait = False,
    quiet: options.Quiet = False,
) -> int:
    """Show what calls SYMBOL: path:line, how certain that is, and the function around the call.

    "certain" is resolved by scope or an import, "likely" the only definition of that name, "by name" no more than the same name.
    """
    return answer("callers", symbol, path, Shared(limit, globs, languages, as_json, no_wait, quiet))
