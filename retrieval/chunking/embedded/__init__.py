"""Files with several languages: each part is cut by the rules of its own language.

A file's text becomes regions: lines, their language, and what the parser of that language reads. Where regions have the same
lines, a later one has them. The regions' outlines are joined in the order of lines (split_points.py).
"""

from __future__ import annotations

from collections.abc import Callable

from retrieval.chunking.embedded.fences import literate, markdown, mdx
from retrieval.chunking.embedded.markup import astro, html, svelte, vue
from retrieval.chunking.embedded.razor import razor
from retrieval.chunking.embedded.regions import Region
from retrieval.chunking.embedded.templates import ejs, erb, jsp, php
from retrieval.chunking.line_index import LineIndex

# Language of a file -> its regions; an empty list where the file is in that one language alone.
HOSTS: dict[str, Callable[[LineIndex], list[Region]]] = {
    "astro": astro,
    "ejs": ejs,
    "erb": erb,
    "html": html,
    "jsp": jsp,
    "markdown": markdown,
    "mdx": mdx,
    "php": php,
    "razor": razor,
    "rmarkdown": literate,
    "svelte": svelte,
    "vue": vue,
}

__all__ = ["HOSTS", "Region"]
