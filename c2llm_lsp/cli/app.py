"""The Typer application: which subcommands there are, and where each one lives.

A subcommand is a file of this package with a Typer `app` of its own. Only the one that is called is imported;
`--help` shows the lines below and the settings, and tests compare them with the README.
"""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

# name -> (module, what it does). Shown in this order: what a newcomer needs comes first.
COMMANDS: dict[str, tuple[str, str]] = {
    "search": ("search", "Find code by what it does; indexes first if needed."),
    "similar": ("similar", "Find code similar to the code at FILE:LINE, or to code on standard input."),
    "context": ("context", "Print the code that a question, or the code at FILE:LINE-LINE, needs, for an assistant."),
    "ask": ("ask", "Answer a question about the code with a language model, citing the lines it is from."),
    "chat": ("chat", "Talk about the code with a language model, with follow-up questions."),
    "callers": ("callers", "Show what calls a symbol, and how certain that is."),
    "callees": ("callees", "Show what a symbol calls, and where that is defined."),
    "references": ("references", "Show every place of a symbol: definitions, calls, imports, mentions."),
    "outline": ("outline", "Show what a file, a folder or the repository defines, within a budget of tokens."),
    "explain": ("explain", "Show the model's attention over the code at FILE:LINE, and why it matches a query."),
    "index": ("index", "Update the index of a workspace."),
    "chunks": ("chunks", "Show how a file is cut: language, kind, name, first and last line of each part."),
    "languages": ("languages", "List the languages, and how each is cut: by a grammar, patterns, headings or windows."),
    "team": (
        "team",
        "Share vectors with a team through PostgreSQL, so that what one has embedded nobody embeds again.",
    ),
    "watch": ("watch", "Keep the index current while files change, and report each update."),
    "web": ("web", "Search in a browser: results, where the model looks, a map of the repository, near-duplicates."),
    "serve": ("serve", "Serve an editor over the Language Server Protocol."),
    "mcp": ("mcp", "Serve an assistant over the Model Context Protocol."),
    "install-agent": (
        "install_agent",
        "Configure the code assistants that are used here, or take it back with --undo.",
    ),
    "savings": ("savings", "Show how many tokens answers saved assistants against reading whole files."),
    "serve-embeddings": ("serve_embeddings", "Serve embeddings to other machines and programs, as OpenAI's API does."),
    "status": ("status", "Show what is indexed, with which model, and what is pending."),
    "doctor": ("doctor", "Check the installation, the model and the index; suggest fixes."),
    "model": ("model", "Show the embedding model, or set another."),
    "clear": ("clear", "Delete the index of a workspace, unused vectors, or everything."),
    "batch": ("batch", "Answer queries given as JSON lines, for programs."),
    "bench": ("bench", "Measure indexing and queries on a workspace of yours."),
    "adapt": ("adapt", "Finetune the model on this repository, and keep it if it ranks better there; --undo reverts."),
    "train": ("train", "Train a model further on tasks of your own."),
    "evaluate": ("evaluate", "Measure encoders, rankings and poolings on a benchmark."),
}


class LazyGroup(TyperGroup):
    """A group that knows its commands' names and lines without importing their files."""

    def __init__(self, **attributes: Any) -> None:
        """The commands as a list shows them, also for suggestions; `resolve_command` gives the one that runs."""
        super().__init__(**attributes)
        self.commands.update({name: TyperCommand(name, help=line) for name, (_, line) in COMMANDS.items()})

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None and name in COMMANDS:
            command = typer.main.get_command(import_module(f"c2llm_lsp.cli.{COMMANDS[name][0]}").app)
            command.name = name
        return name, command, rest

    def format_help(self, ctx: Any, formatter: Any) -> None:
        from c2llm_lsp.cli.settings_help import show

        super().format_help(ctx, formatter)
        show()


app = typer.Typer(cls=LazyGroup, invoke_without_command=True, pretty_exceptions_enable=False, add_completion=True)


def _version(show_version: bool) -> None:
    if show_version:
        from c2llm_lsp import __version__

        typer.echo(f"c2llm {__version__}")
        raise typer.Exit


@app.callback()
def c2llm(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - its callback does it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Semantic code search for your own code: local, offline, current. Without a command it searches while you type.

    Exit codes are those of grep: 0 found, 1 nothing found, 2 error.
    """
    if context.invoked_subcommand is None:
        _without_command(context)


def _without_command(context: typer.Context) -> None:
    """The search box at a terminal, else the help; the exit code is then that of a usage error."""
    from c2llm_lsp.cli.common import ERROR, guarded, locate
    from c2llm_lsp.cli.picker import available, pick

    if available():
        guarded(lambda: pick(locate(None)))()
        return
    typer.echo(context.get_help(), err=True)
    raise typer.Exit(ERROR)
