"""Notebooks by cell."""

from __future__ import annotations

import json

from retrieval.chunking import chunk_file
from retrieval.types import Chunk

LINES = [f"value_{n} = compute({n})\n" for n in range(12)]


def cell(kind: str, *source: str, **more: object) -> dict[str, object]:
    return {"cell_type": kind, "metadata": {}, "source": list(source), **more}


def notebook(*cells: dict[str, object], language: str = "python", indent: int | None = 1) -> str:
    content = {"cells": list(cells), "metadata": {"kernelspec": {"language": language}}, "nbformat": 4}
    return json.dumps(content, indent=indent)


def chunks_of(text: str) -> list[Chunk]:
    chunks = chunk_file("a.ipynb", text)
    data = text.encode()
    for chunk in chunks:
        assert chunk.kind == "cell"
        assert data[: chunk.start_byte].count(b"\n") == chunk.start_line - 1
        assert data[: chunk.end_byte].count(b"\n") == chunk.end_line - 1
    return chunks


def test_cells_are_chunks_with_the_notebooks_language_and_heading() -> None:
    text = notebook(
        cell("markdown", "# Loading 🙂\n", "\n", "How data is read."),
        cell("code", "def load(path):\n", *(f"    {line}" for line in LINES), outputs=[{"text": ["never indexed"]}]),
    )
    prose, code = chunks_of(text)
    assert (prose.language, prose.symbol, prose.text) == (
        "markdown",
        "Loading 🙂",
        "# Loading 🙂\n\nHow data is read.",
    )
    assert (code.language, code.qualified) == ("python", "Loading 🙂.load")
    assert code.text.startswith("def load(path):\n    value_0 = compute(0)\n")
    assert "def load" in text.splitlines()[code.start_line - 1]
    assert not any("never indexed" in chunk.text for chunk in (prose, code))


def test_a_source_that_is_one_string_is_read_too() -> None:
    (chunk,) = chunks_of(notebook({"cell_type": "code", "source": "x = 'é\\n'\n" + "".join(LINES)}, indent=None))
    assert chunk.text.startswith("x = 'é\\n'\nvalue_0")


def test_long_cells_are_split_between_lines() -> None:
    chunks = chunks_of(notebook(cell("code", *(line for _ in range(20) for line in LINES))))
    assert len(chunks) > 2
    assert all(chunk.text.startswith("value_") for chunk in chunks)


def test_tiny_cells_are_merged() -> None:
    (chunk,) = chunks_of(notebook(cell("code", "a = 1"), cell("code", "b = 2"), cell("code"), cell("code", "c = 3")))
    assert chunk.text == "a = 1\n\nb = 2\n\nc = 3"


def test_the_kernel_determines_the_language() -> None:
    (chunk,) = chunks_of(notebook(cell("code", "f <- function(x) x\n", *LINES), language="R"))
    assert (chunk.language, chunk.symbol) == ("r", "f")


def test_an_invalid_notebook_is_chunked_as_json() -> None:
    for text in ("{", "[]", '{"cells": 1}', '{"cells": [1, {"source": 2}, {}]}', "\ud800", "not json at all"):
        for chunk in chunk_file("a.ipynb", text):
            assert chunk.language in ("json", "python")
    assert chunk_file("a.ipynb", "{broken\n")[0].text == "{broken"
