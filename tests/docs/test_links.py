"""Links and paths in the documentation lead somewhere."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.docs.pages import CHECKOUT, anchors, files, inline_code, links, pages, slug, text

each_page = pytest.mark.parametrize("page", pages())
# A path from the top of the repository, or a bare name of a page or a configuration file.
TOPS = "|".join(sorted({re.escape(name.split("/")[0]) for name in files() if "/" in name}))
PATH = re.compile(rf"(?:{TOPS})(?:/[\w.-]+)+/?|\.?[\w-]+\.(?:md|toml|yml)")
# Pages that tell of another time or another tree name what is not here.
HISTORIES = {"CHANGELOG.md", "retrieval/evaluation/LOG.md"}
# Names that a reader makes or has, not files of this repository.
OTHERS = {
    "AGENTS.md",
    "GEMINI.md",
    "QWEN.md",
    ".github/mcp.json",
    "extension.toml",
    "Cargo.toml",
    "languages.toml",
    "config.toml",
    ".c2llm.toml",
}


def broken(page: str, target: str) -> str:
    """Why a link of a page leads nowhere; empty where it leads somewhere or off the repository."""
    if re.match(r"[a-z][a-z0-9+.-]*:", target):
        return "" if target.startswith(("https://", "mailto:")) else f"{target}: not https"
    path, _, anchor = target.partition("#")
    goal = (CHECKOUT / page).parent / unquote(path) if path else CHECKOUT / page
    if not goal.exists():
        return f"{target}: no such file"
    if anchor and anchor not in anchors(str(goal.resolve().relative_to(CHECKOUT))):
        return f"{target}: no such heading"
    return ""


@each_page
def test_links_lead_to_files_and_headings_that_exist(page: str) -> None:
    assert [why for target in links(page) if (why := broken(page, target))] == []


@each_page
def test_paths_that_are_named_exist(page: str) -> None:
    named = {found for code in inline_code(page) if (found := code.strip("/")) and PATH.fullmatch(found)}
    if page in HISTORIES:
        named = set()
    bases = (CHECKOUT, (CHECKOUT / page).parent)
    missing = {path for path in named - OTHERS if not any((base / path).exists() for base in bases)}
    assert missing == set(), f"{page} names what is not there"


def test_pages_of_the_site_link_only_within_it() -> None:
    """The site is made of docs/ alone: a file beside it is named as code, not linked."""
    outward = [(p, t) for p in pages() if p.startswith("docs/") for t in links(p) if leaves_docs(p, t)]
    assert outward == []


def leaves_docs(page: str, target: str) -> bool:
    path = target.partition("#")[0]
    if not path or re.match(r"[a-z]+:", path):
        return False
    return not ((CHECKOUT / page).parent / path).resolve().is_relative_to(CHECKOUT / "docs")


def test_every_page_of_the_site_is_in_its_navigation() -> None:
    listed = set(re.findall(r"[\w/-]+\.md", text("mkdocs.yml") if (CHECKOUT / "mkdocs.yml").exists() else ""))
    assert {page.removeprefix("docs/") for page in pages() if page.startswith("docs/")} == listed


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    assert broken("README.md", "no/such/file.md") == "no/such/file.md: no such file"
    assert broken("README.md", "docs/configuration.md#no-such") == "docs/configuration.md#no-such: no such heading"
    assert broken("README.md", "http://example.org/x") == "http://example.org/x: not https"
    assert broken("README.md", "docs/configuration.md#settings") == ""


@each_page
def test_headings_have_anchors_of_their_own(page: str) -> None:
    """Two equal headings of one level get numbered anchors, which change when a section moves."""
    found = re.findall(r"^(#{2,6}) (.+)$", re.sub(r"```.*?```", "", text(page), flags=re.DOTALL), re.MULTILINE)
    if page not in HISTORIES:
        names = sorted(slug(heading) for _, heading in found)
        assert [one for one, other in pairwise(names) if one == other] == []
