"""`c2llm callers`, `callees` and `references`, from a terminal's point of view."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.program import Program


@pytest.mark.slow
def test_callers_callees_and_references_of_a_symbol(c2llm: Program, tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "store.py").write_text(
        "class Store:\n    def save(self):\n        pack(1)\n\n\ndef pack(x):\n    return x\n"
    )
    (root / "app.py").write_text("from store import Store\n\n\ndef run():\n    Store()\n")

    callers = c2llm("callers", "Store", cwd=root)
    assert (callers.code, callers.out) == (0, "app.py:5: [certain] call in run: Store()\n"), callers.err
    assert "Store is defined in store.py:1." in callers.err

    found = json.loads(c2llm("callees", "store.py:2", "--json", cwd=root).out)
    assert [(r["path"], r["line"], r["symbol"], r["calls"]) for r in found["results"]] == [("store.py", 6, "pack", [3])]
    assert found["definitions"][0]["scope"] == "Store" and found["freshness"]["files"] == 2

    references = c2llm("references", "Store", str(root), "--path", "app.py", "-q")
    assert references.out.splitlines() == [
        f"{root}/app.py:1: [certain] import: from store import Store",
        f"{root}/app.py:5: [certain] call in run: Store()",
    ]

    unknown = c2llm("callers", "Stor", cwd=root)
    assert (unknown.code, unknown.out) == (1, "")
    assert "'Stor' is not defined in the index. Names like it: Store." in unknown.err
    refused = c2llm("callers", "two words", cwd=root)
    assert refused.code == 2 and "is not a symbol" in refused.no_traceback().err

    outline = c2llm("outline", cwd=root)
    assert outline.out == (
        "app.py\n  4 def run():\nstore.py\n  1 class Store:\n    2 def save(self):\n  6 def pack(x):\n"
    ), outline.err
    short = json.loads(c2llm("outline", "store.py", "--budget", "12", "--json", cwd=root).out)
    assert [entry["name"] for entry in short["files"][0]["entries"]] == ["Store"]
    assert short["files"][0]["left_out"] == 2 and short["tokens"] <= 12
    assert c2llm("outline", "none.py", cwd=root).code == 2
