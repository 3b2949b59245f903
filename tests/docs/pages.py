"""The project's Markdown, parsed once: pages, links, headings and shell blocks with the marker before them."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

CHECKOUT = Path(__file__).parents[2]
SHELL = ("sh", "bash", "console")
MARKER = re.compile(r"<!-- (runs|not run: [^>]+|try command|test command) -->")


@dataclass(frozen=True, slots=True)
class ShellBlock:
    page: str
    line: int
    code: str
    marker: str  # "" where there is none

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@cache
def pages() -> tuple[str, ...]:
    """Every Markdown page of the repository, tracked or new; the log of experiments keeps the names that were true on its day."""
    return tuple(name for name in files() if name.endswith(".md") and not name.startswith("tests/"))


@cache
def files() -> tuple[str, ...]:
    """Every file of the repository, tracked or new."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    return tuple(sorted(name for name in listed.split("\0") if name and (CHECKOUT / name).exists()))


@cache
def text(page: str) -> str:
    return (CHECKOUT / page).read_text(encoding="utf-8")


@cache
def tokens(page: str) -> tuple[Token, ...]:
    return tuple(MarkdownIt("commonmark").enable("table").parse(text(page)))


def links(page: str) -> list[str]:
    """Targets of links and pictures, in order."""
    found = []
    for inline in (token for token in tokens(page) if token.type == "inline"):
        for child in inline.children or ():
            target = child.attrGet("href" if child.type == "link_open" else "src")
            if child.type in ("link_open", "image") and target:
                found.append(str(target))
    return found


@cache
def anchors(page: str) -> frozenset[str]:
    """The anchors of a page's headings."""
    found, parsed = set(), tokens(page)
    for opening, inline in pairwise(parsed):
        if opening.type == "heading_open":
            found.add(slug("".join(c.content for c in inline.children or () if c.type in ("text", "code_inline"))))
    return frozenset(found)


def slug(heading: str) -> str:
    """The anchor of a heading, as both the forge and the site's generator make it: true of plain headings, which ours are."""
    return re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading.lower()).strip())


def inline_code(page: str) -> list[str]:
    """Everything between backticks in running text."""
    inlines = (token for token in tokens(page) if token.type == "inline")
    return [child.content for token in inlines for child in token.children or () if child.type == "code_inline"]


@cache
def shell_blocks(page: str) -> tuple[ShellBlock, ...]:
    found, before = [], ""
    for token in tokens(page):
        if token.type == "html_block":
            markers = MARKER.findall(token.content)
            before = markers[-1] if markers else ""
        elif token.type == "fence":
            if token.info.split()[:1] and token.info.split()[0] in SHELL:
                line = (token.map or [0])[0] + 1
                found.append(ShellBlock(page, line, token.content, before))
            before = ""
        elif token.type == "inline":
            before = ""
    return tuple(found)


def between(page: str, marker: str) -> str:
    """A page's text between a marker and the next end."""
    found = re.search(rf"<!-- {marker}[^>]*-->\n(.*?)<!-- end -->", text(page), re.DOTALL)
    assert found, f"{page} has no place marked '{marker}'"
    return found[1].strip()
