"""`c2llm/explain` over stdio: columns in the client's units, on the text that was explained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from c2llm_lsp.server.handlers.explain import Columns
from c2llm_lsp.server.protocol import ExplainAnswer
from c2llm_lsp.server.text.positions import Encoding
from retrieval.chunking import chunk_file
from retrieval.types import TokenAttention
from tests.server.editing import Opened, Serve

ODD = "# 🎉 é\r\n\tdef party(x):\r\r\n    return '🎉🎉', x\n"


def explain(folder: Opened, path: str, line: int = 0, **more: Any) -> ExplainAnswer:
    asked = {"textDocument": {"uri": folder.uri_of(path)}, "position": {"line": line, "character": 0}}
    found = folder.client.ask("c2llm/explain", {"waitForEdits": True, **asked, **more})
    return msgspec.convert(found, ExplainAnswer, strict=True)


@pytest.mark.parametrize("name", ["utf-8", "utf-16", "utf-32"])
def test_columns_are_the_clients(name: str) -> None:
    """Every character of odd lines, found again by its column."""
    (chunk,) = chunk_file("odd.py", ODD)
    encoding, columns = Encoding(name), Columns(chunk, Encoding(name))
    rows = ODD.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for n, row in enumerate(rows[:-1]):
        offset = chunk.text.replace("\r\n", "\n ").replace("\n ", "\r\n").index(row) if row else 0
        for k, char in enumerate(row):
            start = offset + k
            at = columns.range(TokenAttention(start, start + 1, n + 1, k, n + 1, k + 1, 0.1))
            assert (at.start.line, at.end.line) == (n, n)
            assert encoding.index(row, at.start.character) == k
            assert at.end.character - at.start.character == encoding.units(char)


def test_each_line_says_what_it_does_for_the_query(opened: Opened) -> None:
    found = explain(opened, "app/ignore.py", 4, query="rule matches")
    assert found.path == "app/ignore.py" and found.symbol == "apply_ignore_rules"
    assert "def apply_ignore_rules" in found.text
    assert found.range.start.line <= 4 <= found.range.end.line
    best = max(found.lines, key=lambda line: line.effect or -1.0)
    assert best.line == 6
    assert found.similarity and found.words and 6 in next(w for w in found.words if w.word == "matches").lines
    assert found.freshness.files == 5 and found.unread_from is None
    assert "does not expose attention" in found.notes[0]  # the encoder of these tests


def test_an_unsaved_buffer_is_explained_as_it_is_now(opened: Opened) -> None:
    opened.open("app/ignore.py")
    opened.change("app/ignore.py", (0, 0, 0, 0, "# 🎉\n\n\n"))
    found = explain(opened, "app/ignore.py", 8)
    assert found.symbol == "apply_ignore_rules" and found.range.end.line == 11
    assert found.query == "" and found.similarity is None


def test_what_cannot_be_explained_is_said(opened: Opened, serve: Serve, tmp_path: Path) -> None:
    at = {"line": 0, "character": 0}
    for uri, said in (("file:///elsewhere.py", "none of the open folders"), (opened.uri_of("no.py"), "not indexed")):
        asked = {"textDocument": {"uri": uri}, "position": at}
        assert said in opened.client.refused("c2llm/explain", asked)["message"]
    client = serve()
    client.initialize(tmp_path / "gone")
    asked = {"textDocument": {"uri": (tmp_path / "gone" / "a.py").as_uri()}, "position": at}
    assert "not open" in client.refused("c2llm/explain", asked)["message"]


@pytest.mark.slow
def test_the_models_looks_fall_on_words(serve: Serve, project: Path) -> None:
    client = serve(C2LLM_ENCODER="embedded")
    client.initialize(project, encodings=["utf-16"])
    client.ready()
    (project / "x.py").write_text("unrelated = 1\n")
    folder = Opened(client, project)
    folder.open("party.py", "def party():\n    x = '🎉🎉'; return celebrate(x)\n")
    found = explain(folder, "party.py")
    rows = [row.encode("utf-16-le") for row in found.text.split("\n")]
    seen = [
        rows[look.range.start.line][2 * look.range.start.character : 2 * look.range.end.character].decode("utf-16-le")
        for look in found.looks
    ]
    assert "party" in seen and "celebrate" in "".join(seen)
    assert 0.5 < sum(look.weight for look in found.looks) + sum(look.weight for look in found.header) < 1.01
