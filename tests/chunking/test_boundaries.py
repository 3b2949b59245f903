"""Boundaries restore the same chunks over the same text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.chunking import CHUNKING_VERSION, boundaries, chunk_file
from tests.soak import rounds

PATHS = ("a.py", "b.rs", "c.md", "d.json", "e.txt", "f.ts", "g.ipynb", "Makefile")
NOTEBOOK = json.dumps(
    {
        "cells": [
            {"cell_type": "markdown", "source": ["# Load\n", "all of it"]},
            {"cell_type": "code", "source": ["def load(path):\n", "    return path\n"]},
        ],
        "metadata": {"kernelspec": {"language": "python"}},
    }
)
LINES = st.sampled_from(
    [
        "def f(x):",
        "    return x",
        "class A:",
        "# One",
        "## 🚀 Two",
        "fn g() {",
        "}",
        "",
        "é = '€'",
        '{"a": 1,',
        "\udc80",
        "x\ry",
    ]
)


def check_same(path: str, text: str) -> None:
    chunks = chunk_file(path, text)
    packed = boundaries.pack(chunks, text)
    assert boundaries.unpack(path, text, packed) == chunks
    assert boundaries.is_current(packed)


@given(st.sampled_from(PATHS), st.lists(LINES, max_size=60))
def test_boundaries_restore_the_chunks_of_any_text(path: str, lines: list[str]) -> None:
    check_same(path, "\n".join(lines))


def test_boundaries_restore_the_chunks_of_this_project() -> None:
    root = Path(__file__).parents[2]
    sources = sorted(root.glob("retrieval/**/*.py"))
    for path in [*sources[:: rounds(4, 1)], *root.glob("*.md"), *root.glob("*.toml")]:
        check_same(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))


def test_notebook_boundaries_include_their_text_and_are_not_stored() -> None:
    check_same("g.ipynb", NOTEBOOK)
    assert not boundaries.has_no_text(boundaries.pack(chunk_file("g.ipynb", NOTEBOOK), NOTEBOOK))
    assert boundaries.has_no_text(boundaries.pack(chunk_file("a.py", "x = 1"), "x = 1"))


def test_boundaries_of_other_rules_are_not_current(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = boundaries.pack([], "")
    monkeypatch.setattr(boundaries, "CHUNKING_VERSION", CHUNKING_VERSION * 10)
    assert not boundaries.is_current(packed)
    assert boundaries.is_current(boundaries.pack([], ""))
