"""The search box in the terminal: `c2llm` alone, and `c2llm search --interactive`."""

from __future__ import annotations

import os
import sys

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, INTERRUPTED, Target, open_workspace, tell
from retrieval.errors import QueryError


def available() -> bool:
    """Whether there is a terminal to type into and to draw on."""
    return sys.stdin.isatty() and (sys.stdout.isatty() or sys.stderr.isatty()) and os.environ.get("TERM") != "dumb"


def pick(target: Target, typed: str = "") -> int:
    """Search while one types; print what was chosen with ^O. Raises QueryError where there is no terminal."""
    if not available():
        raise QueryError("Searching while typing needs a terminal; give a query: c2llm search QUERY.")
    from c2llm_lsp.picker.box import Box

    with open_workspace(target) as workspace:
        choice = Box(
            workspace, target.settings, typed=typed, show_path=target.show, folder=options.here(target.root)
        ).run()
    if choice is None:
        return INTERRUPTED
    tell(f"{target.show(choice.path)}:{choice.first_line}")
    return FOUND
