"""`c2llm search`: index what is new, ask, show."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import (
    FOUND,
    INTERRUPTED,
    NOTHING,
    Target,
    guarded,
    locate,
    open_workspace,
    remark,
    stdout_is_terminal,
)
from retrieval.errors import QueryError
from retrieval.types import Answer, SearchRequest

if TYPE_CHECKING:
    from retrieval.engine import Workspace

app = typer.Typer(add_completion=False)


def _print_schema(requested: bool) -> None:
    if requested:
        import json

        from c2llm_lsp.render.json_output import SCHEMA

        typer.echo(json.dumps(SCHEMA, indent=2))
        raise typer.Exit


JsonSchema = Annotated[
    bool,
    typer.Option("--json-schema", callback=_print_schema, is_eager=True, help="Print the schema of --json and leave."),
]


@app.command()
@guarded
def search(
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help="What to look for, in words or code.", show_default=False)
    ] = "",
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
    interactive: Annotated[
        bool, typer.Option("--interactive", "-i", help="Search while typing, with a preview; so does `c2llm` alone.")
    ] = False,
    json_schema: JsonSchema = False,  # noqa: ARG001 - its callback does it
) -> int:
    """Find code by what it does.

    The first search of a workspace indexes it; later ones notice what changed by themselves.
    """
    if interactive:
        from c2llm_lsp.cli.picker import pick

        return pick(locate(path, quiet=quiet, encoder=encoder, results=results), query)
    if not query.strip():
        raise QueryError("The query is empty; say in a few words what the code does.")
    target = locate(path, quiet=quiet, encoder=encoder, results=results, context_lines=context_lines)
    content = options.content(code_only=code_only, docs=docs, config=config)
    filters = options.filters(options.FilterOptions(globs, languages, kinds, content, grep, within), root=target.root)
    with open_workspace(target) as workspace:
        if not current(workspace, no_wait=no_wait, quiet=quiet):
            return INTERRUPTED
        answer = workspace.search(SearchRequest(query, filters, target.settings.results, highlight=True))
        show(target, answer, query, as_json=as_json, explain=explain, quiet=quiet)
    return FOUND if answer.hits else NOTHING


def current(workspace: Workspace, *, no_wait: bool, quiet: bool) -> bool:
    """Index what is new, unless the person will not wait; False where Ctrl-C ended it."""
    if no_wait:
        return True
    from c2llm_lsp.cli.progress import refresh

    report = refresh(workspace, quiet=quiet)
    for note in () if quiet else report.notes:
        remark(note)
    if report.cancelled:
        remark("Stopped; what was indexed is kept, and the next search goes on from there.")
    return not report.cancelled


def show(target: Target, answer: Answer, query: str, *, as_json: bool, explain: bool, quiet: bool) -> None:
    """Print an answer in the form that suits who reads it."""
    settings = target.settings
    if as_json:
        import json

        from c2llm_lsp.render.json_output import answer_dict

        typer.echo(json.dumps(answer_dict(answer, query=query, root=str(target.root)), indent=2))
        return
    if stdout_is_terminal():
        from rich.console import Console

        from c2llm_lsp.render.terminal import TerminalOptions, print_answer

        display = TerminalOptions(target.root, settings.link, settings.context_lines, explain, target.show)
        print_answer(Console(highlight=False), answer, display)
    else:
        from c2llm_lsp.render.plain import render_plain

        text = render_plain(answer, context=settings.context_lines, explain=explain, show_path=target.show)
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    if not quiet:
        from c2llm_lsp.render.freshness import answer_notes, nothing_found

        sys.stdout.flush()
        for line in ([] if answer.hits else [nothing_found(answer.freshness)]) + answer_notes(answer):
            remark(line)
