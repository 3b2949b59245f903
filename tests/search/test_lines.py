"""Lines of results are those of editors, also where a lone carriage return ends them."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from retrieval.chunking import chunk_file, lines_of
from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace


@given(st.text(alphabet="ab \r\n\u2028\x0c\x85é", max_size=40))
def test_lines_are_cut_where_chunks_count_them(text: str) -> None:
    for chunk in chunk_file("notes.txt", text):
        lines = lines_of(text)[chunk.start_line - 1 : chunk.end_line]
        assert lines_of(chunk.text) == lines


def test_a_merged_result_of_a_file_with_lone_carriage_returns_has_its_own_lines(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    bodies = [f"def bake_{n}(oven):\r    cake_{n} = oven.heat({n})\r    return cake_{n}\r\r" for n in range(30)]
    text = "".join(bodies)
    (root / "old.py").write_bytes(text.encode())
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=tmp_path / "cache") as workspace:
        workspace.refresh()
        hits = workspace.search("bake cake oven heat").hits
    assert hits
    for hit in hits:
        shown, real = lines_of(hit.text), lines_of(text)[hit.start_line - 1 : hit.end_line]
        assert [line.rstrip() for line in shown] == [line.rstrip() for line in real]
