"""Indexing with a team's vectors: what the team has is not embedded, and whatever the server does, the index becomes whole."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from retrieval.engine import Workspace
from retrieval.indexing import fetching, pipeline
from retrieval.team import Limits, Publisher, TeamVectors, parse
from retrieval.types import IndexReport
from tests.engine.indexed import CountingEncoder, check_equals_fresh, write_project
from tests.patience import PATIENCE
from tests.team.postgres import Postgres
from tests.team.proxy import Proxy

pytestmark = pytest.mark.slow
FOREVER = Limits(connect=PATIENCE, answer=PATIENCE)
SHORT = Limits(connect=0.1, answer=0.2)


class Clone:
    """A workspace of its own with a cache of its own, as a colleague has."""

    def __init__(self, folder: Path, source: TeamVectors | None) -> None:
        self.encoder, self.folder = CountingEncoder(), folder
        self.workspace = Workspace.open(folder / "root", encoder=self.encoder, cache_dir=folder / "cache")
        self.workspace.writer.vector_source = source

    def index(self) -> IndexReport:
        return self.workspace.refresh()

    def check(self) -> None:
        """All is there, as if it had been embedded here."""
        check_equals_fresh(self.workspace, self.folder / "fresh")
        self.workspace.close()

    def publish(self, url: str) -> int:
        vectors, encoder = self.workspace.store.vectors, self.encoder
        with Publisher(parse(url), encoder.fingerprint, encoder.dimension) as publisher:
            rows = vectors.of_passages(encoder.fingerprint, publisher.missing(vectors.passages(encoder.fingerprint)))
            return publisher.publish(list(rows), np.stack(list(rows.values()))) if rows else 0


MakeClone = Callable[..., Clone]


@pytest.fixture
def clone(tmp_path: Path) -> MakeClone:
    def make(name: str, source: TeamVectors | None = None, files: int = 20) -> Clone:
        write_project(tmp_path / name / "root", files)
        return Clone(tmp_path / name, source)

    return make


@pytest.fixture
def published(postgres: Postgres, database: str, clone: MakeClone) -> str:
    """The address of a database that has the vectors of the project."""
    first = clone("first")
    first.index()
    url = postgres.url(database)
    assert first.publish(url) == len(first.encoder.passages)
    assert first.publish(url) == 0
    first.workspace.close()
    return url


@pytest.mark.parametrize("ahead", [False, True])
def test_a_clone_embeds_nothing(published: str, clone: MakeClone, ahead: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "AHEAD_FROM", 1 if ahead else 10_000)
    monkeypatch.setattr(fetching, "BULK", 50)
    second = clone("second", TeamVectors(published, FOREVER))
    second.workspace.search("send request")  # a vector index is there, and follows
    report = second.index()
    assert second.encoder.passages == []
    assert (report.chunks_fetched, report.chunks_embedded, report.notes) == (report.chunks_added, 0, ())
    second.check()


def test_a_branch_embeds_what_differs(published: str, clone: MakeClone) -> None:
    branch = clone("branch", TeamVectors(published, FOREVER))
    for path in [branch.folder / "root/pkg0/module_0.py", branch.folder / "root/pkg1/module_1.py"]:
        path.write_text(path.read_text().replace("value + 7", "value - 7"))
    report = branch.index()
    assert 0 < report.chunks_embedded == len(branch.encoder.passages) < report.chunks_added / 10
    assert report.chunks_fetched + report.chunks_embedded == report.chunks_added
    branch.check()


def test_few_chunks_are_not_worth_a_question(postgres: Postgres, proxy: Proxy, database: str, clone: MakeClone) -> None:
    small = clone("small", TeamVectors(postgres.url(database, port=proxy.port), FOREVER), files=2)
    report = small.index()
    assert (report.notes, proxy.connections, len(small.encoder.passages)) == ((), 0, report.chunks_added)
    small.check()


def test_another_encoder_has_vectors_of_its_own(postgres: Postgres, published: str, clone: MakeClone) -> None:
    postgres.sql("UPDATE c2llm.encoders SET fingerprint = 'of another'", parse(published).shown.rpartition("/")[2])
    other = clone("other", TeamVectors(published, FOREVER))
    report = other.index()
    assert (report.notes, report.chunks_fetched) == ((), 0)
    assert len(other.encoder.passages) == report.chunks_added
    other.check()


def test_a_server_that_is_away_costs_a_note_and_is_left_alone(
    postgres: Postgres, published: str, clone: MakeClone
) -> None:
    postgres.die()
    try:
        alone = clone("alone", TeamVectors(published, FOREVER))
        report = alone.index()
    finally:
        postgres.start()
    assert len(report.notes) == 1
    assert "cannot be reached" in report.notes[0]
    assert len(alone.encoder.passages) == report.chunks_embedded == report.chunks_added
    write_project(alone.folder / "root", 25)
    again = alone.index()  # the server is back, and the pause not over
    assert (again.chunks_fetched, again.notes) == (0, report.notes)
    alone.check()
    back = clone("back", TeamVectors(published, FOREVER))
    assert back.index().chunks_fetched == report.chunks_added  # what was published has survived the crash
    back.check()


def test_a_server_that_does_not_answer_costs_a_note(
    postgres: Postgres, published: str, proxy: Proxy, clone: MakeClone
) -> None:
    source = TeamVectors(postgres.url(parse(published).shown.rpartition("/")[2], port=proxy.port), SHORT)
    waiting = clone("waiting", source)
    proxy.open.clear()
    report = waiting.index()
    assert len(report.notes) == 1
    assert "answer" in report.notes[0] or "reached" in report.notes[0]
    assert len(waiting.encoder.passages) == report.chunks_added
    waiting.check()


def test_a_connection_cut_in_the_middle_keeps_what_came(
    postgres: Postgres, published: str, proxy: Proxy, clone: MakeClone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "BULK", 30)
    source = TeamVectors(postgres.url(parse(published).shown.rpartition("/")[2], port=proxy.port), FOREVER)
    part = clone("part", source)
    put = part.workspace.store.vectors.put

    def cut_after(*arguments: object, **more: object) -> None:
        put(*arguments, **more)  # type: ignore[arg-type]
        proxy.cut()

    monkeypatch.setattr(part.workspace.store.vectors, "put", cut_after)
    report = part.index()
    assert len(report.notes) == 1
    assert report.chunks_fetched == 30
    assert len(part.encoder.passages) == report.chunks_added - 30
    part.check()


def test_a_cancel_is_heard_while_a_server_is_waited_for(
    postgres: Postgres, published: str, proxy: Proxy, clone: MakeClone
) -> None:
    source = TeamVectors(postgres.url(parse(published).shown.rpartition("/")[2], port=proxy.port), FOREVER)
    stopped = clone("stopped", source)
    proxy.open.clear()
    cancel = threading.Event()
    reports: list[IndexReport] = []
    run = threading.Thread(target=lambda: reports.append(stopped.workspace.refresh(cancel=cancel)))
    run.start()
    assert proxy.holding.wait(PATIENCE)
    cancel.set()
    run.join(PATIENCE)
    assert reports[0].cancelled
    assert stopped.encoder.passages == []
    proxy.open.set()
    assert stopped.index().chunks_fetched > 0
    stopped.check()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE c2llm.vectors SET data = substr(data, 1, 100)", "a vector of 100 bytes where 512 were expected"),
        ("UPDATE c2llm.vectors SET data = ''", "an empty vector"),
        ("UPDATE c2llm.vectors SET data = decode(repeat('00', 512), 'hex')", "not of length 1"),
        ("UPDATE c2llm.vectors SET data = decode(repeat('7e00', 256), 'hex')", "not of length 1"),
        ("UPDATE c2llm.vectors SET data = decode(repeat('003c', 256), 'hex')", "not of length 1"),
        ("UPDATE c2llm.meta SET value = '99'", "upgrade c2llm-lsp"),
        ("UPDATE c2llm.meta SET value = 'x'", "c2llm team init"),
        ("DROP SCHEMA c2llm CASCADE", "has no tables of c2llm"),
        ("ALTER TABLE c2llm.vectors DROP COLUMN data", "answers with error 42703"),
    ],
)
def test_wrong_answers_cost_a_note(
    postgres: Postgres, database: str, published: str, clone: MakeClone, damage: str, words: str
) -> None:
    postgres.sql(damage, database)
    wrong = clone("wrong", TeamVectors(published, FOREVER), files=8)
    report = wrong.index()
    assert len(report.notes) == 1
    assert words in report.notes[0]
    assert report.chunks_fetched == 0
    assert len(wrong.encoder.passages) == report.chunks_added
    wrong.check()


def test_a_missing_database_and_a_wrong_user_cost_a_note(postgres: Postgres, clone: MakeClone) -> None:
    nowhere = clone("nowhere", TeamVectors(postgres.url("no_such_thing"), FOREVER), files=8)
    note = nowhere.index().notes[0]
    assert f"127.0.0.1:{postgres.port}/no_such_thing" in note
    nowhere.check()
    broken = clone("broken", TeamVectors("postgresql://bob:hunter2@db/x", FOREVER), files=8)
    assert "hunter2" not in broken.index().notes[0]
    broken.check()
