"""Files with several languages: each part is cut by the rules of its own language.

A file's text becomes regions: lines, their language, and what the parser of that language reads. Where regions have the same
lines, a later one has them. The regions' outlines are joined in the order of lines (split_points.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from retrieval.chunking.embedded.directives import handlebars, restructured, twig
from retrieval.chunking.embedded.fences import markdown, mdx
from retrieval.chunking.embedded.markup import astro, html, svelte, vue
from retrieval.chunking.embedded.razor import razor
from retrieval.chunking.embedded.regions import Region
from retrieval.chunking.embedded.templates import ejs, erb, jsp, php
from retrieval.chunking.line_index import LineIndex


@dataclass(frozen=True, slots=True)
class Host:
    """A kind of file with several languages."""

    regions: Callable[[LineIndex], list[Region]]  # none where a file is in one language alone
    parts: str  # what is cut by rules of its own, for people


HOSTS: dict[str, Host] = {
    "astro": Host(astro, "front matter, scripts, styles"),
    "ejs": Host(ejs, "JavaScript, HTML, scripts, styles"),
    "erb": Host(erb, "Ruby, HTML, scripts, styles"),
    "handlebars": Host(handlebars, "scripts, styles"),
    "html": Host(html, "scripts, styles"),
    "jsp": Host(jsp, "Java, HTML, scripts, styles"),
    "markdown": Host(markdown, "fenced code"),
    "mdx": Host(mdx, "imports and exports, fenced code"),
    "php": Host(php, "HTML, scripts, styles"),
    "razor": Host(razor, "C#, HTML, scripts, styles"),
    "rmarkdown": Host(markdown, "fenced code"),
    "rst": Host(restructured, "code directives"),
    "svelte": Host(svelte, "scripts, styles"),
    "twig": Host(twig, "scripts, styles"),
    "vue": Host(vue, "template, scripts, styles, other blocks"),
}

__all__ = ["HOSTS", "Host", "Region"]
