"""Which lines of a result are worth showing."""

from __future__ import annotations

import pytest

from c2llm_lsp.render.snippet import answer_line
from retrieval.types import Chunk, Hit

METHOD = "# all of them\ndef apply(self):\n\n    return self.rules\n"
CLOSING = "def apply(self):\n    try:\n        pass\n    finally:\n        self.close_all()\n"


def hit(text: str = METHOD, salient: tuple[int, ...] = (), kind: str = "method", symbol: str = "apply") -> Hit:
    last = 8 + text.count("\n") - 1
    chunk = Chunk("a.py", "python", kind, symbol, "Rules", 8, last, 0, len(text), text)  # type: ignore[arg-type]
    return Hit(chunk, 8, last, text, 0.5, salient_lines=salient, terms=("rule",))


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (hit(salient=(9, 11)), 11),
        (hit(), 11),
        (hit("@cached\ndef apply(self): pass\n"), 8),
        (hit(CLOSING, salient=(11,)), 12),
        (hit("x = {\n}\n", kind="block", symbol=""), 8),
        (hit("LIMIT = 3\napply = 4  # at most\n", salient=(8, 9), kind="block"), 9),
        (hit("}\n", kind="block", symbol=""), 8),
        (hit("\n\n", kind="window", symbol=""), 8),
    ],
)
def test_the_line_that_answers_says_what_the_name_does_not(one: Hit, line: int) -> None:
    assert answer_line(one) == line


def test_the_line_of_the_name_may_be_given() -> None:
    assert answer_line(hit(salient=(9, 11)), 11) == 8
