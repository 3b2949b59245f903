"""Arguments and options that several subcommands share, so that they read and behave alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from retrieval.errors import QueryError
from retrieval.types import CHUNK_KINDS, WITHIN, Filters, SearchScope


def _complete_languages(incomplete: str) -> list[str]:
    """For the shell: the languages that begin with what is typed, after those that are given already."""
    from retrieval.chunking.languages import LANGUAGES

    return _complete(incomplete, LANGUAGES)


def _complete_kinds(incomplete: str) -> list[str]:
    return _complete(incomplete, CHUNK_KINDS)


def _complete_scopes(incomplete: str) -> list[str]:
    return _complete(incomplete, _SCOPES)


def _complete(incomplete: str, names: Iterable[str]) -> list[str]:
    given, comma, beginning = incomplete.rpartition(",")
    return [f"{given}{comma}{name}" for name in names if name.startswith(beginning.lower())]


_SCOPES = tuple(name for name in WITHIN if name != "open")  # no file is open in a terminal

WorkspacePath = Annotated[
    Path | None,
    typer.Argument(metavar="PATH", help="The workspace; without it the repository around the current directory."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Encoder = Annotated[str | None, typer.Option("--encoder", help="Embedding model for this command.", show_default=False)]
Limit = Annotated[
    int | None,
    typer.Option("-k", "--limit", "--results", min=1, max=1000, help="Number of results.", show_default="10"),
]
PathGlobs = Annotated[
    list[str] | None,
    typer.Option("--path", help="Only paths that match this glob; with ! in front, only others. May be repeated."),
]
Languages = Annotated[
    list[str] | None,
    typer.Option(
        "--lang",
        help="Only this language, as in go, ts or .py. May be repeated.",
        autocompletion=_complete_languages,
    ),
]
Kinds = Annotated[
    list[str] | None,
    typer.Option(
        "--kind", help=f"Only this kind: {', '.join(CHUNK_KINDS)}. May be repeated.", autocompletion=_complete_kinds
    ),
]
Grep = Annotated[
    str | None,
    typer.Option("--grep", metavar="PATTERN", help="Only code that matches this regular expression (RE2's syntax)."),
]
Within = Annotated[
    list[str] | None,
    typer.Option(
        "--in",
        help="Only this folder, its package, what changed since the last commit, or what is no test: "
        f"{', '.join(_SCOPES)}. May be repeated.",
        autocompletion=_complete_scopes,
    ),
]
CodeOnly = Annotated[bool, typer.Option("--code-only", help="Only code: no documentation, no configuration.")]
Docs = Annotated[bool, typer.Option("--docs", help="Only documentation and text. With --config, both.")]
Config = Annotated[bool, typer.Option("--config", help="Only configuration and data, such as YAML.")]
ContextLines = Annotated[
    int | None,
    typer.Option("--context-lines", "-C", min=0, max=1000, help="Lines around each line shown.", show_default="0"),
]
Explain = Annotated[bool, typer.Option("--explain", help="Show the contribution of each signal to the score.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Answer from the current index without updating it.")]


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """The filters of a command line, as they are written."""

    globs: Sequence[str] | None = None
    languages: Sequence[str] | None = None
    kinds: Sequence[str] | None = None
    content: Sequence[str] = ()
    grep: str | None = None
    within: Sequence[str] | None = None


def content(*, code_only: bool, docs: bool, config: bool) -> list[str]:
    """The types of content that flags name."""
    return [name for name, chosen in (("code", code_only), ("docs", docs), ("config", config)) if chosen]


def filters(options: FilterOptions, *, root: Path) -> Filters:
    """The filters of a command line. Each value may hold several, separated by commas, but for globs and the pattern. Raises
    QueryError before anything is indexed.
    """
    from retrieval.engine.requests import normalize_filters

    if options.grep == "":
        raise QueryError("The pattern of --grep is empty: give a regular expression.")
    return normalize_filters(
        Filters(
            _split(options.languages),
            tuple(options.globs or ()),
            _split(options.kinds),
            _split(options.content),
            options.grep or "",
            SearchScope(_split(options.within), here(root)),
        ),
        root,
    )


def here(root: Path) -> str | None:
    """The folder of the workspace that one is in, "" at its top; None outside of it."""
    try:
        folder = Path.cwd().relative_to(root).as_posix()
    except (OSError, ValueError):
        return None
    return "" if folder == "." else folder


def _split(values: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(part.strip().lower() for value in values or () for part in value.split(",") if part.strip())
