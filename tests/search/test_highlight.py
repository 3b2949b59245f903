"""A workspace's answers with their lines chosen more closely, where that is quick."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from retrieval.encoders import OverlapEncoder, Vectors
from retrieval.engine import Workspace
from retrieval.errors import EncoderError

CODE = "def work(job):\n" + "".join(f"    step_{n} = job.part_{n}\n" for n in range(8)) + "    wait_until_idle()\n"


class Instant(OverlapEncoder):
    instant = True
    fails = False

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        if self.fails:
            raise EncoderError("The model failed.")
        return super().encode_queries(texts)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "work.py").write_text(CODE)
    with Workspace.open(tmp_path / "jobs", encoder=Instant(), cache_dir=tmp_path / "cache") as opened:
        opened.refresh()
        yield opened


def test_the_line_that_means_it_is_among_those_shown(workspace: Workspace) -> None:
    answer = workspace.search("work idle")
    closer = workspace.highlight(answer, "work idle")
    assert 10 in closer.hits[0].salient_lines
    assert [replace(hit, salient_lines=()) for hit in closer.hits] == [
        replace(hit, salient_lines=()) for hit in answer.hits
    ]


def test_an_encoder_that_takes_long_or_fails_leaves_the_answer(workspace: Workspace) -> None:
    answer = workspace.search("work idle")
    workspace.encoder.fails = True  # type: ignore[attr-defined]
    assert workspace.highlight(answer, "work idle") is answer
    workspace.encoder.instant = False  # type: ignore[attr-defined]
    assert workspace.highlight(answer, "work idle") is answer


def test_an_answer_by_words_alone_stays(workspace: Workspace) -> None:
    answer = replace(workspace.search("work idle"), encoder="")
    assert workspace.highlight(answer, "work idle") is answer
