"""`c2llm outline`: what a file or folder defines, within a budget of tokens."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, INTERRUPTED, NOTHING, Target, guarded, locate, open_workspace, remark
from c2llm_lsp.cli.search import current
from retrieval.errors import QueryError

if TYPE_CHECKING:
    from retrieval.structure.outline import Outline
    from retrieval.types import Freshness

app = typer.Typer(add_completion=False)

Where = Annotated[
    Path | None,
    typer.Argument(metavar="PATH", help="A file or folder; without it the repository around the current directory."),
]
Budget = Annotated[int, typer.Option("--budget", "-b", min=1, help="Token budget (estimated).")]


@app.command()
@guarded
def outline(
    where: Where = None,
    budget: Budget = 2_000,
    as_json: options.AsJson = False,
    no_wait: options.NoWait = False,
    quiet: options.Quiet = False,
) -> int:
    """Show what a file, a folder or the whole repository defines: signatures by file, the most used first to be shown.

    Where not all of it fits into the budget, tests, members and names that few files use are left out first.
    """
    from retrieval.rag.token_estimate import estimate_tokens

    if where is not None and not where.exists():
        raise QueryError(f"There is no file or folder {where}.")
    target = locate(None, beside=_folder(where), quiet=quiet)
    path = _in_workspace(target, where)
    with open_workspace(target) as workspace:
        if not current(workspace, no_wait=no_wait, quiet=quiet):
            return INTERRUPTED
        found, notes = workspace.symbols.outline(path, budget, estimate_tokens)
        freshness = workspace.symbols.freshness()
    if as_json:
        _print_json(target, found, notes, freshness)
    else:
        _show(target, found, notes, quiet=quiet)
    return FOUND if found.files else NOTHING


def _folder(where: Path | None) -> Path | None:
    if where is None:
        return None
    real = where.expanduser().resolve()
    return real if real.is_dir() else real.parent


def _in_workspace(target: Target, where: Path | None) -> str:
    if where is None:
        return ""
    real = where.expanduser().resolve()
    if not real.is_relative_to(target.root):
        raise QueryError(f"{where} is not in the workspace {target.root}.")
    path = real.relative_to(target.root).as_posix()
    return "" if path == "." else path


def _print_json(target: Target, found: Outline, notes: tuple[str, ...], freshness: Freshness) -> None:
    import json

    from c2llm_lsp.render.symbols import outline_dict

    typer.echo(json.dumps(outline_dict(found, notes, freshness, root=str(target.root)), indent=2))


def _show(target: Target, found: Outline, notes: tuple[str, ...], *, quiet: bool) -> None:
    from c2llm_lsp.render.symbols import outline_lines, outline_summary

    for line in outline_lines(found, target.show):
        sys.stdout.buffer.write(f"{line}\n".encode("utf-8", "backslashreplace"))
    sys.stdout.flush()
    for note in () if quiet else (outline_summary(found), *notes):
        remark(note)
