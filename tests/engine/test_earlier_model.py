"""An index of the version before, whose embedded model was one graph: its vectors answer until the new ones are complete."""

from __future__ import annotations

from pathlib import Path

from retrieval.encoders import load, load_earlier
from retrieval.encoders.onnx import OnnxEncoder, embedded_folder
from retrieval.engine import Workspace
from retrieval.types import SearchRequest
from tests.cli.program import lay_out

# Of the embedded model before passages.onnx lay beside it.
ONE_GRAPH = "ca6f2784741e024e496a36a84c93ff4c"
FILES = {
    "cart.py": "def total_price(items):\n    return sum(item.price for item in items)\n",
    "mail.py": "def send_mail(address, text):\n    connect(address).write(text)\n",
    "log.py": "def rotate_log(path):\n    path.rename(path.with_suffix('.old'))\n",
}
QUERY = "where are letters delivered"


def test_old_vectors_answer_until_the_new_ones_are_complete(tmp_path: Path) -> None:
    root, cache = lay_out(tmp_path / "project", FILES), tmp_path / "cache"
    earlier = OnnxEncoder(embedded_folder(), name="embedded", threads=1, asymmetric=False)
    assert earlier.fingerprint == ONE_GRAPH
    with Workspace.open(root, encoder=earlier, cache_dir=cache) as workspace:
        workspace.refresh()
        before = workspace.search(SearchRequest(QUERY))
    with Workspace.open(root, encoder=load("embedded", threads=1), cache_dir=cache) as workspace:
        carried = workspace.search(SearchRequest(QUERY))
        assert [hit.chunk.path for hit in carried.hits] == [hit.chunk.path for hit in before.hits]
        assert any("not complete yet" in note and "embedded (earlier)" in note for note in carried.notes)
        workspace.refresh()
        after = workspace.search(SearchRequest(QUERY))
        assert not any("not complete" in note for note in after.notes)
        assert after.hits[0].chunk.path == "mail.py"


def test_other_names_have_no_earlier_model() -> None:
    assert load_earlier("overlap") is None
