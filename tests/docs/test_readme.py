"""README is short, and its two commands are one line each."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import CHECKOUT, between, text

MOST_WORDS = 1_500


def test_the_readme_is_short() -> None:
    prose = re.sub(r"<!--.*?-->", "", text("README.md"))
    assert len(prose.split()) <= MOST_WORDS


@pytest.mark.parametrize("marker", ["try command", "test command"])
def test_a_command_of_the_readme_is_one_plain_shell_line(marker: str) -> None:
    lines = [line for line in between("README.md", marker).splitlines() if not line.startswith("```")]
    assert len(lines) == 1
    assert "||" not in lines[0]


def test_the_first_hit_of_the_picture_is_the_one_that_its_script_demands() -> None:
    script = text(".github/picture.py")
    wanted = re.search(r'FIRST_HIT = "(.+)"', script)
    query = re.search(r'QUERY = "(.+)"', script)
    assert wanted and query
    words = re.sub(r"<style.*?</style>", "", text(".github/search.svg"), flags=re.DOTALL)
    shown = " ".join(re.sub(r"<[^>]*>", " ", words).replace("&#160;", " ").split())
    assert query[1] in shown
    assert wanted[1] in shown.partition(query[1])[2][:200]


def test_pictures_load_nothing_from_elsewhere() -> None:
    for picture in (CHECKOUT / ".github").glob("*.svg"):
        assert not re.search(r"""(?:href|src|url)\s*[=(]\s*["']?https?:""", picture.read_text(encoding="utf-8"))
