from __future__ import annotations

from pathlib import Path

from retrieval.encoders import OverlapEncoder
from retrieval.evaluation.benchmark import Project
from retrieval.evaluation.highlighting import measured

CODE = """def work(job):
    prepare = first(job)
    prepare.second()
    parcel = prepare.third
    parcel.deliver(letter)
    fourth = parcel.close()
    return fourth
"""


def test_the_lines_that_carry_the_similarity_score_best(tmp_path: Path) -> None:
    root = tmp_path / "post"
    root.mkdir()
    (root / "work.py").write_text(CODE)
    project = Project("post", "python", root, ({"query": "deliver letter"},))
    scores = dict(measured(project, OverlapEncoder(), 5, tmp_path / "cache"))
    # Not 1: three lines are chosen, and only one of this file adds to the similarity.
    assert 0.5 < scores["meaning"] <= 1.0 and 0.5 < scores["words"] <= 1.0
    assert scores["first lines"] < 0.0
