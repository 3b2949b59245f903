"""`c2llm clear`: delete the index of a workspace, vectors that no workspace uses, or everything.

Nothing of the workspace itself is touched. Vectors are kept unless asked for, so that indexing again embeds nothing
twice.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, NOTHING, Target, guarded, locate, tell
from c2llm_lsp.cli.doctor_checks import folder_size, size
from c2llm_lsp.render.escape import escape_line
from c2llm_lsp.settings import load
from retrieval.errors import C2llmError, WorkspaceError
from retrieval.private_files import is_own_entry

app = typer.Typer(add_completion=False)


@app.command()
@guarded
def clear(
    path: options.WorkspacePath = None,
    vectors: Annotated[bool, typer.Option("--vectors", help="Prune vectors that no workspace uses.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Delete all indexes and all vectors.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> int:
    """Delete the index of a workspace, unused vectors, or everything.

    Asks first, unless told not to.
    """
    if everything:
        return clear_all(yes=yes)
    target = indexed(path)
    return prune(target, yes=yes) if vectors else clear_workspace(target, yes=yes)


def indexed(path: Path | None) -> Target:
    """The workspace of a command, also of a directory that is no longer there but whose index is."""
    from retrieval.store.cache_paths import workspace_folder

    try:
        return locate(path, quiet=True)
    except WorkspaceError:
        if path is None:
            raise
        target = Target(Path(os.path.realpath(path)), path, load())
        if not workspace_folder(target.root, target.settings.cache).is_dir():
            raise
        return target


def clear_workspace(target: Target, *, yes: bool) -> int:
    from retrieval.indexing import writer_lock
    from retrieval.store.cache_paths import workspace_folder

    folder = workspace_folder(target.root, target.settings.cache)
    if not folder.is_dir():
        tell(f"There is no index of {target.root}.")
        return NOTHING
    if not confirmed(f"Delete the index of {target.root} ({size(folder_size(folder))})?", yes):
        return NOTHING
    with writer_lock(folder):
        remove(folder)
    tell(f"Deleted the index of {target.root}; its vectors are kept (--vectors prunes those that nothing uses).")
    return FOUND


def prune(target: Target, *, yes: bool) -> int:
    from retrieval.store import Store
    from retrieval.store.cache_paths import cache_folder, vectors_file

    cache = cache_folder(target.settings.cache)
    indexes = sorted((cache / "workspaces").glob("*/index.db"))
    if not indexes:
        typer.echo(f"There is no index in {cache}; --all deletes the vectors that are left.")
        return NOTHING
    if not confirmed("Delete the vectors that no indexed workspace uses?", yes):
        return NOTHING
    with Store.open(indexes[0].parent, vectors=vectors_file(cache)) as store:
        gone = store.vectors.prune(indexes)
    typer.echo(f"Deleted {gone:,} vectors; {len(indexes):,} workspaces keep theirs.")
    return FOUND


def clear_all(*, yes: bool) -> int:
    """Everything of this program in the cache folder, and nothing else that may lie in it."""
    from retrieval.store.cache_paths import cache_folder

    cache = cache_folder(load().settings.cache)
    own = [entry for entry in sorted(cache.glob("*")) if is_own_entry(entry.name)]
    if not own:
        typer.echo(f"There is nothing in {cache}.")
        return NOTHING
    if not confirmed(f"Delete all indexes and vectors in {cache} ({size(folder_size(cache))})?", yes):
        return NOTHING
    for entry in own:
        remove(entry)
    typer.echo(f"Deleted all indexes and vectors in {cache}.")
    return FOUND


def remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()


def confirmed(question: str, yes: bool) -> bool:
    """Whether the person wants it; where nobody can be asked, that is an error and not a yes."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise C2llmError(f"{question} Nobody can be asked here; --yes says so.")
    typer.echo(f"{escape_line(question)} [y/N] ", nl=False)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
