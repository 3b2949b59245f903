from __future__ import annotations

import pytest

from c2llm_lsp.render.symbols import outline_summary
from retrieval.structure.outline import Outline, OutlinedFile, OutlineEntry

ENTRY = OutlineEntry("go", "function", "", 1, 2, 0, "def go():")


@pytest.mark.parametrize(
    ("outline", "summary"),
    [
        (
            Outline("", (OutlinedFile("a.py", (ENTRY,), 0),), 1, 5, 9),
            "5 of 9 tokens (estimated): 1 definition in 1 file; 1 more file.",
        ),
        (
            Outline("", (OutlinedFile("a.py", (ENTRY, ENTRY), 1), OutlinedFile("b.py", (), 0)), 2, 5, 9),
            "5 of 9 tokens (estimated): 2 definitions in 2 files, 1 more in them; 2 more files.",
        ),
        (Outline("", (), 3, 0, 9), "Nothing is defined there, or nothing fits into the budget."),
    ],
)
def test_an_outline_says_how_much_of_it_is_shown(outline: Outline, summary: str) -> None:
    assert outline_summary(outline) == summary
