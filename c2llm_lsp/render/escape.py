"""Escaping for everything that this package and the servers write. The engine packs Markdown too, so the functions live
there (`retrieval.escaping`); what only a browser needs is added here.
"""

from __future__ import annotations

from retrieval.escaping import code_span, escape_block, escape_line, escape_lines, fenced, markdown_line

__all__ = ["code_span", "escape_block", "escape_html", "escape_line", "escape_lines", "fenced", "markdown_line"]


def escape_html(text: str) -> str:
    """Text for an element or a quoted attribute of a page; one line."""
    from html import escape  # with its table of entities, 4 ms of a start; only pages for editors need it

    return escape(escape_line(text), quote=True)
