"""The citations of an answer: places with links, and what is wrong with each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.style import Style
from rich.text import Text

from c2llm_lsp.render.escape import code_span, escape_line
from c2llm_lsp.render.terminal import link_target
from retrieval.rag.cited_lines import Citation

NOT_RETRIEVED = "not among the lines that the model was given: it may be made up"
CHANGED = "changed since it was read"


def problem(citation: Citation) -> str:
    """What a reader must know of a citation; empty where it holds."""
    if not citation.retrieved:
        return NOT_RETRIEVED
    return CHANGED if citation.changed else ""


def lines_of(citation: Citation) -> str:
    first, last = citation.first_line, citation.last_line
    return str(first) if first == last else f"{first}-{last}"


def print_citations(
    console: Console, citations: Sequence[Citation], *, root: Path, link: str, show_path: Callable[[str], str]
) -> None:
    """A list of places at a terminal, with links where the lines were really given."""
    for citation in citations:
        line = Text("  ")
        target = link_target(link, root / citation.path, citation.first_line) if citation.retrieved else ""
        line.append(escape_line(show_path(citation.path)), style=Style(color="magenta", link=target or None))
        line.append(f":{lines_of(citation)}", style="green")
        if text := problem(citation):
            line.append(f"  {text}", style="bold red" if not citation.retrieved else "yellow")
        console.print(line, soft_wrap=True)


def citations_markdown(citations: Sequence[Citation], show_path: Callable[[str], str]) -> str:
    """The same as a list in Markdown; empty without citations."""
    if not citations:
        return ""
    rows = []
    for citation in citations:
        text = problem(citation)
        rows.append(
            f"- {code_span(f'{show_path(citation.path)}:{lines_of(citation)}')}{f' ({text})' if text else ''}\n"
        )
    return f"\nSources:\n{''.join(rows)}"


def citation_dict(citation: Citation) -> dict[str, Any]:
    """As JSON."""
    return {
        "path": citation.path,
        "start_line": citation.first_line,
        "end_line": citation.last_line,
        "retrieved": citation.retrieved,
        "changed": citation.changed,
    }
