"""The settings below the commands in `c2llm --help`: by the environment variable, which is the shortest way to set one."""

from __future__ import annotations

from c2llm_lsp.settings import SCHEMA, Setting


def show() -> None:
    """A box like those that typer draws above it."""
    from rich.box import ROUNDED
    from rich.console import Console
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(style="bold cyan", no_wrap=True)
    table.add_column(ratio=1)
    for setting in SCHEMA:
        default = Text(f" [default: {shown_default(setting)}]", style="dim")
        table.add_row(setting.variable, Text(setting.help) + default)
    title = "Settings: environment variables, or by their names in the config file"
    Console().print(Panel(table, title=title, title_align="left", border_style="dim", box=ROUNDED))


def shown_default(setting: Setting) -> str:
    if setting.kind == "boolean":
        return str(setting.default).lower()
    return str(setting.default) if setting.kind == "integer" else str(setting.default or "empty")
