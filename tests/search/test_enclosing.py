"""Which chunks are left out as what similar code is asked for."""

from __future__ import annotations

import pytest

from retrieval.chunking import chunk_file
from retrieval.search.enclosing import enclosing_rows

LONG = "class Outer:\n    limit = 3\n    other = 4\n\n    def long(self, value):\n" + "".join(
    f"        value = step_{n}(value, {n})\n        if value > {n}:\n            return value\n" for n in range(90)
)
SHORT = (
    "\n    def short(self):\n        first = self.limit\n        second = self.other\n        return first + second\n"
)
BODY = "".join(f"        next = step{n}(value, next, {n});\n" for n in range(40)) + "        return next;\n    }\n\n"
OVERLOADS = f"class Box {{\n    int put(int value) {{\n{BODY}    long put(long value) {{\n{BODY}}}\n"


def left_out(path: str, text: str, line: int) -> list[tuple[str, int, int]]:
    chunks = list(enumerate(chunk_file(path, text)))
    rows = enclosing_rows(chunks, line, line)
    return [(chunk.symbol, chunk.start_line, chunk.end_line) for row, chunk in chunks if row in rows]


@pytest.mark.parametrize("line", [6, 140, 270])
def test_all_parts_of_a_split_function_and_the_head_of_its_class_are_left_out(line: int) -> None:
    found = left_out("a.py", LONG + SHORT, line)
    assert (found[0][1], found[-1][2]) == (1, 275)
    assert len(found) == 5


def test_members_beside_it_are_not_left_out() -> None:
    assert left_out("a.py", LONG + SHORT, 278) == [("Outer", 1, 59), ("short", 277, 280)]


def test_an_overload_is_no_part_of_the_other() -> None:
    assert any("put" in [symbol.name for symbol in chunk.symbols] for chunk in chunk_file("Box.java", OVERLOADS)[1:])
    assert max(last for _, _, last in left_out("Box.java", OVERLOADS, 4)) < 46


def test_lines_without_a_chunk_leave_nothing_out() -> None:
    assert enclosing_rows([], 1, 5) == []
