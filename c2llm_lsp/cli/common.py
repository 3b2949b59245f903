"""What the subcommands share: finding the workspace, opening it, and turning every failure into one plain sentence.

The workspace is the PATH as given, or without one the repository around the current directory: a search from a
subfolder then uses the index that is there already. Results are shown as grep would: as they can be opened from where
the person is.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

import typer

from c2llm_lsp.render.error_messages import DEBUG_VARIABLE, error_message
from c2llm_lsp.render.escape import escape_line
from c2llm_lsp.settings import WORKSPACE_FILE, Loaded, Settings, Value, load
from retrieval.errors import EncoderUnreachableError, QueryError, WorkspaceError
from retrieval.processes.environment import exclude_workspace

if TYPE_CHECKING:
    from retrieval.engine import Workspace

FOUND, NOTHING, ERROR, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 130, 141

P = ParamSpec("P")


def guarded(command: Callable[P, int]) -> Callable[P, None]:
    """Run a subcommand and leave with its exit code; no failure shows a traceback unless C2LLM_DEBUG is set."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = command(*args, **kwargs)
            sys.stdout.flush()
        except KeyboardInterrupt:
            code = INTERRUPTED
        except BrokenPipeError:
            code = BROKEN_PIPE
            _discard_output()
        except typer.Exit:
            raise
        except Exception as error:
            if os.environ.get(DEBUG_VARIABLE):
                traceback.print_exc()
            complain(error_message(error))
            code = ERROR
            with suppress(ValueError):
                try:
                    sys.stdout.flush()
                except OSError:  # a full disk
                    _discard_output()
        if code:  # 0 must return: a group's own body runs before its subcommand
            raise typer.Exit(code)

    return run


def _discard_output() -> None:
    """Send what is left to the null device: the interpreter flushes standard output once more at exit and would complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(text: str) -> None:
    """One red line on standard error."""
    line = f"c2llm: {escape_line(text)}"
    typer.echo(f"\x1b[31m{line}\x1b[0m" if stderr_colors() else line, err=True, color=True)


def remark(text: str) -> None:
    """One dim line on standard error: worth knowing, in the way of nothing."""
    line = escape_line(text)
    typer.echo(f"\x1b[2m{line}\x1b[0m" if stderr_colors() else line, err=True, color=True)


def tell(text: str) -> None:
    """One line on standard output for people: a name in it can neither command their terminal nor forge a line."""
    typer.echo(escape_line(text))


def stderr_colors() -> bool:
    return _colors(sys.stderr.isatty())


def stdout_colors() -> bool:
    return _colors(sys.stdout.isatty())


def _colors(terminal: bool) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (terminal and os.environ.get("TERM") != "dumb")


def stdout_is_terminal() -> bool:
    """Whether to write for a person; FORCE_COLOR says so where the output is a pipe, as into `less -R`."""
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


@dataclass(frozen=True, slots=True)
class Target:
    """The workspace a command works on, and how its paths are shown."""

    root: Path
    given: Path | None
    loaded: Loaded

    @property
    def settings(self) -> Settings:
        return self.loaded.settings

    def show(self, path: str) -> str:
        """A path of the workspace as one would type it here."""
        if self.given is not None:
            return str(self.given / path)
        return os.path.relpath(self.root / path)


def locate(path: Path | None, *, beside: Path | None = None, quiet: bool = False, **overrides: Value | None) -> Target:
    """The workspace of a command, with its settings. `beside` is where to look for the repository instead of here."""
    root = _directory(path) if path is not None else enclosing_project(beside or Path.cwd())
    exclude_workspace(root)
    loaded = load(root, overrides=overrides)
    if not quiet:
        for warning in loaded.warnings:
            remark(warning)
    return Target(root, path, loaded)


def _directory(path: Path) -> Path:
    """The given directory, or what is wrong with it."""
    try:
        directory = path.expanduser().resolve(strict=True)
    except FileNotFoundError:
        raise WorkspaceError(f"There is no directory {path}.") from None
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
        raise WorkspaceError(f"{path} cannot be opened: {getattr(error, 'strerror', None) or error}.") from None
    if not directory.is_dir():
        raise WorkspaceError(f"{path} is a file; give the directory to search, and limit results with --path.")
    if not os.access(directory, os.R_OK | os.X_OK):
        raise WorkspaceError(f"{path} cannot be read: permission denied.")
    return directory


def enclosing_project(here: Path) -> Path:
    """The repository around a directory, else the directory itself; never the whole home folder by accident."""
    home = Path.home()
    for folder in (here, *here.parents):
        if folder == home or folder == Path(folder.anchor):
            break
        if (folder / ".git").exists() or (folder / WORKSPACE_FILE).is_file():
            return folder
    if here in (home, Path(here.anchor)):
        raise WorkspaceError(f"{here} is not a project; to index all of it, give it as PATH.")
    return here


def open_workspace(target: Target) -> Workspace:
    """The engine's workspace for a target, with the encoder of the settings, loaded at once if it was set explicitly."""
    from c2llm_lsp.session.factories import open_workspace as open_with

    workspace = open_with(target.root, target.settings)
    if target.settings.encoder != Settings().encoder:
        with suppress(EncoderUnreachableError):  # the answer says so, and falls back to keyword search
            _ = workspace.encoder  # a folder that holds no model is an error of the command line
    return workspace


def read_input(limit: int = 4_000_000) -> str:
    """Standard input as text; bytes that are not UTF-8 are replaced, and what is longer than any query is left out."""
    text = sys.stdin.buffer.read(limit).decode("utf-8", "replace")
    if not text.strip():
        raise QueryError("There is nothing on standard input; pipe a piece of code in.")
    return text


def set_up_training(threads: int, *, quiet: bool) -> None:
    """The log on stderr, and so many threads for torch; 0 leaves the choice to it."""
    import torch

    logging.basicConfig(level=logging.WARNING if quiet else logging.INFO, format="%(message)s")
    if threads:
        torch.set_num_threads(threads)
