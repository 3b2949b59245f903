"""`c2llm explain`: where the model looks in the code at FILE:LINE, and what of it answers a query."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, INTERRUPTED, guarded, locate, open_workspace, remark, stdout_is_terminal
from c2llm_lsp.cli.location import parse_location, path_in_workspace
from c2llm_lsp.cli.search import current
from retrieval.errors import QueryError
from retrieval.types import Explanation

app = typer.Typer(add_completion=False)

STDOUT = Path("-")


@app.command()
@guarded
def explain(
    where: Annotated[str, typer.Argument(metavar="FILE:LINE", help="A place in a file, as search shows it.")],
    query: Annotated[
        str, typer.Argument(metavar="[QUERY]", help="What was asked; shows what each line does for it.")
    ] = "",
    path: options.WorkspacePath = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with the heat-map; - prints it.")
    ] = None,
    as_json: options.AsJson = False,
    no_wait: options.NoWait = False,
    encoder: options.Encoder = None,
    quiet: options.Quiet = False,
) -> int:
    """Show where the model looks in the code at FILE:LINE, and what each line does for QUERY."""
    lines = parse_location(where)
    target = locate(path, beside=lines.file.parent, quiet=quiet, encoder=encoder)
    relative_path = path_in_workspace(target, lines.file)
    with open_workspace(target) as workspace:
        if not current(workspace, no_wait=no_wait, quiet=quiet):
            return INTERRUPTED
        explanation = workspace.explain(relative_path, lines.start, query)
    if html is not None:
        write_page(explanation, html, quiet=quiet)
    if as_json:
        import json

        from c2llm_lsp.render.json_output import explanation_dict

        typer.echo(json.dumps(explanation_dict(explanation, root=str(target.root)), indent=2))
    elif html is None:
        _print(explanation, target.show)
    return FOUND


def write_page(explanation: Explanation, file: Path, *, quiet: bool) -> None:
    from c2llm_lsp.render.html import render_page
    from retrieval.private_files import private_opener

    document = render_page(explanation)
    if file == STDOUT:
        sys.stdout.write(document)
        return
    try:
        with open(file, "w", encoding="utf-8", opener=private_opener) as page:  # it shows code
            page.write(document)
    except OSError as error:
        raise QueryError(f"{file} cannot be written: {error.strerror}.") from error
    if not quiet:
        remark(f"{file} shows it in a browser.")


def _print(explanation: Explanation, show_path: Callable[[str], str]) -> None:
    from c2llm_lsp.render.explanation import explanation_lines

    lines = explanation_lines(explanation, show_path=show_path)
    if not stdout_is_terminal():
        text = "".join(f"{line.plain}\n" for line in lines)
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        return
    from rich.console import Console

    console = Console(highlight=False)
    for line in lines:
        console.print(line, no_wrap=line.no_wrap, overflow=line.overflow)
