"""`c2llm callees`: see relations.py."""

from __future__ import annotations

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import guarded
from c2llm_lsp.cli.relations import DEFAULT_LIMIT, Limit, Shared, Symbol, answer

app = typer.Typer(add_completion=False)


@app.command()
@guarded
def callees(
    symbol: Symbol,
    path: options.WorkspacePath = None,
    limit: Limit = DEFAULT_LIMIT,
    globs: options.PathGlobs = None,
    languages: options.Languages = None,
    as_json: options.AsJson = False,
    no_wait: options.NoWait = False,
    quiet: options.Quiet = False,
) -> int:
    """Show what SYMBOL calls, and where that is defined in this workspace.

    Names that are called and not defined here, as those of libraries, are listed at the end.
    """
    return answer("callees", symbol, path, Shared(limit, globs, languages, as_json, no_wait, quiet))
