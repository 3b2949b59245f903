"""A workspace's answers with their lines chosen more closely, where that is quick."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from retrieval.encoders import OverlapEncoder, Vectors
from retrieval.engine import Workspace
from retrieval.errors import EncoderError
from retrieval.types import Answer, SearchRequest

CODE = "def work(job):\n" + "".join(f"    step_{n} = job.part_{n}\n" for n in range(8)) + "    wait_until_idle()\n"


class Instant(OverlapEncoder):
    low_latency = True
    fails = fails_for_passages = False
    queries = 0

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        self.queries += len(texts)
        if self.fails:
            raise EncoderError("The model failed.")
        return super().encode_queries(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        if self.fails_for_passages:
            raise EncoderError("The model failed.")
        return super().encode_passages(texts)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "work.py").write_text(CODE)
    with Workspace.open(tmp_path / "jobs", encoder=Instant(), cache_dir=tmp_path / "cache") as opened:
        opened.refresh()
        yield opened


def lines_shown(answer: Answer) -> list[tuple[int, ...]]:
    return [hit.salient_lines for hit in answer.hits]


def highlighted(workspace: Workspace) -> Answer:
    return workspace.search(SearchRequest("work idle", highlight=True))


def test_the_line_that_means_it_is_among_those_shown(workspace: Workspace) -> None:
    by_words, closer = workspace.search("work idle"), highlighted(workspace)
    assert 10 in closer.hits[0].salient_lines
    assert [replace(hit, salient_lines=()) for hit in closer.hits] == [
        replace(hit, salient_lines=()) for hit in by_words.hits
    ]


def test_the_query_is_embedded_once(workspace: Workspace) -> None:
    workspace.encoder.queries = 0  # type: ignore[attr-defined]
    highlighted(workspace)
    assert workspace.encoder.queries == 1  # type: ignore[attr-defined]


def test_an_encoder_that_takes_long_leaves_the_lines(workspace: Workspace) -> None:
    by_words = lines_shown(workspace.search("work idle"))
    workspace.encoder.low_latency = False  # type: ignore[attr-defined]
    assert lines_shown(highlighted(workspace)) == by_words


def test_an_encoder_that_fails_for_lines_leaves_the_lines(workspace: Workspace) -> None:
    by_words = lines_shown(workspace.search("work idle"))
    workspace.encoder.fails_for_passages = True  # type: ignore[attr-defined]
    answer = highlighted(workspace)
    assert (answer.encoder, lines_shown(answer)) == ("overlap", by_words)


def test_an_answer_by_words_alone_is_highlighted_by_words(workspace: Workspace) -> None:
    workspace.encoder.fails = True  # type: ignore[attr-defined]
    answer = highlighted(workspace)
    assert (answer.encoder, lines_shown(answer)) == ("", lines_shown(workspace.search("work idle")))
