"""The `c2llm` command. Starting it must cost next to nothing: a subcommand's file is imported when it is called."""

from __future__ import annotations


def main() -> None:
    """Entry point of the command; leaves the process with its exit code."""
    from c2llm_lsp.cli.app import app

    app(prog_name="c2llm")
