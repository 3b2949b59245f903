"""`c2llm context`: what a question or a selection needs, as Markdown within a budget of tokens, to hand to an assistant."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import (
    FOUND,
    INTERRUPTED,
    NOTHING,
    guarded,
    locate,
    open_workspace,
    remark,
)
from c2llm_lsp.cli.location import is_location, parse_location, path_in_workspace
from c2llm_lsp.cli.search import current
from retrieval.errors import QueryError
from retrieval.types import Location

if TYPE_CHECKING:
    from retrieval.rag import PackedContext

app = typer.Typer(add_completion=False)

FORMATS = ("markdown", "xml", "json")

Query = Annotated[
    str, typer.Argument(metavar="QUERY|FILE:LINE-LINE", help="A question, or lines of a file that is there.")
]
Budget = Annotated[int | None, typer.Option("--budget", "-b", min=1, help="Token budget.", show_default="4000")]
PackLimit = Annotated[
    int | None,
    typer.Option(
        "-k", "--limit", "--results", min=1, max=1000, help="Number of results to pack.", show_default="by the budget"
    ),
]
Tokenizer = Annotated[
    str, typer.Option("--tokenizer", metavar="NAME|FILE", help="Count tokens for this model, or with a tokenizer.json.")
]
Format = Annotated[str, typer.Option("--format", help="How the context is written: markdown, xml or json.")]


@app.command()
@guarded
def context(
    query: Query,
    path: options.WorkspacePath = None,
    budget: Budget = None,
    limit: PackLimit = None,
    globs: options.PathGlobs = None,
    languages: options.Languages = None,
    kinds: options.Kinds = None,
    grep: options.Grep = None,
    within: options.Within = None,
    code_only: options.CodeOnly = False,
    docs: options.Docs = False,
    config: options.Config = False,
    tokenizer: Tokenizer = "estimate",
    output: Format = "markdown",
    as_json: options.AsJson = False,
    no_wait: options.NoWait = False,
    encoder: options.Encoder = None,
    quiet: options.Quiet = False,
) -> int:
    """Print the code that a question needs, or that belongs to the code at FILE:LINE-LINE, for an assistant.

    The best functions are shown whole, others as outlines or signatures, each file headed by its path and lines; "… line N" stands
    for lines that are left out.
    """
    _check(query, output)
    from retrieval.rag import DEFAULT_BUDGET, ContextRequest
    from retrieval.rag import context as collect_context
    from retrieval.rag.token_count import token_count

    counter = token_count(tokenizer)

    lines = parse_location(query) if is_location(query) else None
    target = locate(path, beside=lines.file.parent if lines else None, quiet=quiet, encoder=encoder)
    content = options.content(code_only=code_only, docs=docs, config=config)
    filters = options.filters(options.FilterOptions(globs, languages, kinds, content, grep, within), root=target.root)
    location = Location(path_in_workspace(target, lines.file), lines.start, lines.end) if lines else None
    request = ContextRequest(
        "" if location else query,
        location,
        filters,
        limit,
        budget or DEFAULT_BUDGET,
        "xml" if output == "xml" else "markdown",
    )
    with open_workspace(target) as workspace:
        if not current(workspace, no_wait=no_wait, quiet=quiet):
            return INTERRUPTED
        packed = collect_context(workspace, request, count=counter.count)
    if target.settings.savings:
        from c2llm_lsp import savings

        savings.count(packed.context.text, target.root, (span.path for span in packed.context.spans))
    _show(packed, target.root, counter.name, as_json=as_json or output == "json", quiet=quiet)
    return FOUND if packed.context.spans else NOTHING


def _check(query: str, output: str) -> None:
    if not query.strip():
        raise QueryError("The query is empty; say in a few words what the code does.")
    if output not in FORMATS:
        raise QueryError(f"There is no format '{output}'; formats are {', '.join(FORMATS)}.")


def _show(packed: PackedContext, root: Path, counter: str, *, as_json: bool, quiet: bool) -> None:
    from c2llm_lsp.render.freshness import freshness_notes

    if as_json:
        import json

        from c2llm_lsp.render.json_output import context_dict

        typer.echo(json.dumps(context_dict(packed, root=str(root)), indent=2))
        return
    text = packed.context.text
    sys.stdout.buffer.write(f"{text}\n".encode("utf-8", "backslashreplace") if text else b"")
    sys.stdout.flush()
    if quiet:
        return
    remark(_summary(packed, counter))
    for line in (*packed.notes, *freshness_notes(packed.freshness)):
        remark(line)


def _summary(packed: PackedContext, counter: str) -> str:
    context = packed.context
    if not context.spans:
        from c2llm_lsp.render.freshness import nothing_packed

        return nothing_packed(packed)
    left_out = f", {context.left_out} results left out" if context.left_out else ""
    whose = "estimated" if counter == "estimate" else counter
    return f"{context.tokens:,} of {context.budget:,} tokens ({whose}): {len(context.spans)} spans{left_out}."
