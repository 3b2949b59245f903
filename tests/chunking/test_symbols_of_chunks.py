"""A chunk tells every definition in it, each with its own lines."""

from __future__ import annotations

import pytest

from retrieval.chunking import boundaries, chunk_file
from retrieval.types import Chunk

BODY = "".join(f"        value_{n} = compute(value_{n}, {n})\n" for n in range(14))


def told(chunk: Chunk) -> list[str]:
    return [f"{s.kind} {s.qualified} {s.start_line}-{s.end_line}" for s in chunk.symbols]


def test_definitions_that_share_a_chunk() -> None:
    (chunk,) = chunk_file(
        "a.py", "LIMIT = 3\n\ndef alpha(v):\n    return v\n\n# About it.\ndef bravo(v):\n    return v\n"
    )
    assert told(chunk) == ["block LIMIT 1-1", "function alpha 3-4", "function bravo 6-8"]


def test_members_of_a_class_that_is_one_chunk() -> None:
    (chunk,) = chunk_file(
        "A.java", "class A {\n    int size;\n\n    /** Its size. */\n    int size() {\n        return size;\n    }\n}\n"
    )
    assert told(chunk) == ["class A 1-8", "method A.size 4-7"]


def test_names_of_a_group() -> None:
    (chunk,) = chunk_file("a.go", "package a\n\nconst (\n\tLow = 1\n\t// High is more.\n\tHigh = 2\n)\n")
    assert told(chunk) == ["block Low 4-4", "block High 5-6"]


def test_a_long_class_keeps_its_name_behind_a_short_one() -> None:
    members = "".join(f"    def member_{n}(self):\n{BODY}\n" for n in range(4))
    chunks = chunk_file("a.py", f"class NotFound(Exception):\n    pass\n\n\nclass Client:\n{members}")
    assert [told(chunk)[0] for chunk in chunks[:2]] == ["class NotFound 1-2", "class Client 5-5"]
    assert told(chunks[1])[1].startswith("method Client.member_0 6-")
    assert chunks[1].symbol == "Client"


@pytest.mark.parametrize(
    ("path", "code", "expected"),
    [
        (
            "a.ex",
            "defmodule A do\n  def go(0), do: 1\n  def go(n) do\n    n\n  end\n\n  # Other.\n  def go(n, m), do: n\nend\n",
            ["class A 1-9", "method A.go 2-5", "method A.go 7-8"],
        ),
        (
            "a.hs",
            "module A where\n\n-- | Of a number.\nfac :: Int -> Int\nfac 0 = 1\nfac n = n * fac (n - 1)\n\nother = 2\n",
            ["function fac 3-6", "function other 8-8"],
        ),
    ],
)
def test_clauses_of_a_function_are_one_symbol(path: str, code: str, expected: list[str]) -> None:
    assert [line for chunk in chunk_file(path, code) for line in told(chunk)] == expected


def test_clauses_that_do_not_fit_into_one_chunk_keep_the_name() -> None:
    clauses = "".join(f"step {n} (Row name size) = compute name (size * {n}) where compute = run\n" for n in range(60))
    chunks = chunk_file("a.hs", f"module A where\n\n{clauses}")
    assert len(chunks) > 1
    assert {chunk.symbol for chunk in chunks} == {"step"}


def test_packed_boundaries_hold_the_symbols() -> None:
    code = "def alpha(v):\n    return v\n\ndef bravo(v):\n    return v\n"
    chunks = chunk_file("a.py", code)
    packed = boundaries.pack(chunks, code)
    assert boundaries.unpack("a.py", code, packed) == chunks
    assert boundaries.has_no_text(packed)
