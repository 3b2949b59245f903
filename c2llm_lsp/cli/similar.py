"""`c2llm similar`: code that looks like code, pointed at by FILE:LINE or piped in."""

from __future__ import annotations

from typing import Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, INTERRUPTED, NOTHING, guarded, locate, open_workspace, read_input
from c2llm_lsp.cli.location import parse_location, path_in_workspace
from c2llm_lsp.cli.search import current, show
from retrieval.types import SimilarRequest

app = typer.Typer(add_completion=False)


@app.command()
@guarded
def similar(
    where: Annotated[
        str, typer.Argument(metavar="FILE:LINE", help="A place in a file, or - for code on standard input.")
    ],
    path: options.WorkspacePath = None,
    results: options.Limit = None,
    globs: options.PathGlobs = None,
    languages: options.Languages = None,
    kinds: options.Kinds = None,
    grep: options.Grep = None,
    within: options.Within = None,
    code_only: options.CodeOnly = False,
    docs: options.Docs = False,
    config: options.Config = False,
    context_lines: options.ContextLines = None,
    explain: options.Explain = False,
    as_json: options.AsJson = False,
    no_wait: options.NoWait = False,
    encoder: options.Encoder = None,
    quiet: options.Quiet = False,
) -> int:
    """Find code like the code at FILE:LINE, or like code on standard input."""
    lines = parse_location(where) if where != "-" else None
    beside = lines.file.parent if lines is not None else None
    target = locate(path, beside=beside, quiet=quiet, encoder=encoder, results=results, context_lines=context_lines)
    content = options.content(code_only=code_only, docs=docs, config=config)
    filters = options.filters(options.FilterOptions(globs, languages, kinds, content, grep, within), root=target.root)
    relative_path = path_in_workspace(target, lines.file) if lines is not None else ""
    code = read_input() if lines is None else ""
    with open_workspace(target) as workspace:
        if not current(workspace, no_wait=no_wait, quiet=quiet):
            return INTERRUPTED
        line = lines.start if lines is not None else 0
        answer = workspace.similar(SimilarRequest(relative_path, line, 0, code, filters, target.settings.results))
        show(target, answer, code or where, as_json=as_json, explain=explain, quiet=quiet)
    return FOUND if answer.hits else NOTHING
