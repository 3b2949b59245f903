"""`c2llm similar`: code that looks like code, pointed at by FILE:LINE or piped in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, INTERRUPTED, NOTHING, guarded, locate, open_workspace, read_input
from c2llm_lsp.cli.search import current, show
from retrieval.errors import QueryError

app = typer.Typer(add_completion=False)

# FILE:LINE, FILE:LINE:COLUMN as compilers write it, FILE:LINE-LINE as search shows it
_PLACE = re.compile(r"(?P<file>.+?):(?P<line>[0-9]{1,9})(?:[-:][0-9]+)?", re.DOTALL)


@app.command()
@guarded
def similar(
    where: Annotated[
        str, typer.Argument(metavar="FILE:LINE", help="A place in a file, or - for code on standard input.")
    ],
    path: options.WorkspacePath = None,
    results: options.Results = None,
    globs: options.Globs = None,
    languages: options.Languages = None,
    kinds: options.Kinds = None,
    context_lines: options.ContextLines = None,
    explain: options.Explain = False,
    as_json: options.AsJson = False,
    no_wait: options.NoWait = False,
    encoder: options.Encoder = None,
    quiet: options.Quiet = False,
) -> int:
    """Find code like the code at FILE:LINE, or like code on standard input."""
    wanted = options.filters(globs, languages, kinds)
    code = read_input() if where == "-" else None
    file, line = (None, 0) if code is not None else _file_and_line(where)
    beside = file.parent if file is not None else None
    place = locate(path, beside=beside, quiet=quiet, encoder=encoder, results=results, context_lines=context_lines)
    if file is not None and not file.is_relative_to(place.root):
        raise QueryError(f"{file} is not in the workspace {place.root}.")
    with open_workspace(place) as workspace:
        if not current(workspace, no_wait=no_wait, quiet=quiet):
            return INTERRUPTED
        if file is None:
            answer = workspace.similar(text=code or "", k=place.settings.results, filters=wanted)
        else:
            inside = file.relative_to(place.root).as_posix()
            answer = workspace.similar(path=inside, line=line, k=place.settings.results, filters=wanted)
        show(place, answer, code or where, as_json=as_json, explain=explain, quiet=quiet)
    return FOUND if answer.hits else NOTHING


def _file_and_line(where: str) -> tuple[Path, int]:
    match = _PLACE.fullmatch(where)
    if match is None:
        raise QueryError(f"'{where}' is not FILE:LINE; an example is src/app.py:42.")
    file, line = Path(match["file"]).expanduser(), int(match["line"])
    if not file.is_file():
        raise QueryError(f"There is no file {file}.")
    if line < 1:
        raise QueryError("Lines are counted from 1.")
    # The file itself may be a link; its folder is resolved as the workspace's root is.
    return file.parent.resolve() / file.name, line
