"""`c2llm savings`: how many tokens answers saved assistants, counted on this machine only."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, NOTHING, guarded
from c2llm_lsp.settings import load

app = typer.Typer(add_completion=False)


@app.command()
@guarded
def savings(
    clear: Annotated[bool, typer.Option("--clear", help="Delete what was counted.")] = False,
    as_json: options.AsJson = False,
) -> int:
    """Show how many tokens the answers to assistants saved against reading the files that they name.

    Answers of `c2llm mcp` and `c2llm context` are counted: the day and two numbers, no query and no path. The setting
    savings turns it off.
    """
    from c2llm_lsp import savings as counted

    if clear:
        typer.echo("Deleted." if counted.clear() else "Nothing was counted.")
        return FOUND
    sums = counted.periods()
    if as_json:
        rows = {name: {**asdict(each), "saved": each.saved} for name, each in sums.items()}
        typer.echo(json.dumps({"schema_version": 1, "on": load().settings.savings, "periods": rows}, indent=2))
        return FOUND
    if not sums["all"].answers:
        typer.echo("Nothing was counted yet." if load().settings.savings else "Counting is off: the setting savings.")
        return NOTHING
    typer.echo(f"{'':<8} {'answers':>9} {'their tokens':>14} {'whole files':>14} {'saved':>14}")
    for name, each in sums.items():
        share = f"{each.saved / each.files:.0%}" if each.files else "-"
        typer.echo(f"{name:<8} {each.answers:>9,} {each.shown:>14,} {each.files:>14,} {each.saved:>14,} {share:>4}")
    return FOUND
