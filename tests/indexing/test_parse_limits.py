"""Text made to hurt a grammar costs that file and no more, within limits of memory and time."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.chunking.grammars import GRAMMARS
from retrieval.chunking.languages import extension_of
from retrieval.chunking.notebooks import HEADING
from retrieval.engine import Workspace
from retrieval.indexing import limits, shared_worker
from retrieval.indexing.chunk_jobs import BY_LINES, ChunkJob
from retrieval.indexing.worker_pool import WorkerPool
from tests.engine.indexed import CountingEncoder
from tests.soak import rounds

BOMBS = {
    "bomb.py": "/*\n" * 2600,
    "Foo.java": "a<\n" * 40_000,
    "deep.yaml": "- " * 3_000,  # crashes the grammar's scanner
    "slow.sh": "if (a) { b(" * 9_000,
}
FRAGMENTS = (
    "/*\n", "a<\n", "a<", "(", "[", "{", "if (a) { b(", "'", '"', "`", "<<", "->", "=>", "::", "a ? b : ", "- ", "${", "#{", "a:\n",
    "<a>", "a=", "{-", "a,\n", "fn(", 'r#"', "/", "else", "<?php ", "begin\n", "if x then\n", "(*", "<<EOF\n", "#if\n", "end\n",
    "```js\n", "```md\n", "<script>\n", "<script></script>\n", "<style>a{", "<% ", "@{", "{{", "{% a %}\n",
)  # fmt: skip
# Of every grammar, and of files that hold other languages.
ENDINGS = sorted(
    {extension_of(language)[1:] for language in GRAMMARS} | set("vue svelte astro md erb cshtml mdx rmd".split())
)
pytestmark = pytest.mark.skipif(not limits.memory_is_limited(), reason="the system does not limit memory")


SIZE = rounds(30_000, 90_000)  # of a text of repeated fragments, in characters


def cut_all(jobs: list[ChunkJob], pool: WorkerPool) -> None:
    for job in jobs:
        pool.submit(job)
    for job in jobs:
        pool.wait(job, threading.Event())


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    """Its worker begins anew where one was killed."""
    with WorkerPool(1) as made:
        yield made


@pytest.mark.slow
def test_known_bombs_are_cut_by_lines_and_their_neighbours_as_ever(pool: WorkerPool) -> None:
    good = ChunkJob("good.py", "def f():\n    return 1\n" * 50, True)
    jobs = [ChunkJob(path, text, True) for path, text in BOMBS.items()]
    cut_all([*jobs[:2], good, *jobs[2:]], pool)
    assert all(job.chunked is not None and job.note.endswith(BY_LINES) for job in jobs)
    assert good.chunked is not None
    assert not good.note


@pytest.mark.slow
def test_a_worker_that_ran_out_of_memory_spoils_nothing_behind_it() -> None:
    """A parser keeps what it took, so that there is no room for a next text in the same process."""
    texts = [FRAGMENTS[9] * 90_000, *(fragment * (90_000 // len(fragment)) for fragment in FRAGMENTS[10:14])]
    jobs = [ChunkJob(f"{number}.scala", text, False) for number, text in enumerate(texts)]
    with WorkerPool(1) as pool:
        cut_all(jobs, pool)
    assert [job.failure for job in jobs if job.chunked is None] == []


def test_a_buffer_that_is_a_bomb_leaves_the_process_alive_and_is_found(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with Workspace.open(root, encoder=CountingEncoder(), cache_dir=tmp_path / "cache") as workspace:
        workspace.set_buffer("bomb.py", "/*\n" * 2600 + "needle_in_rubble\n")
        assert workspace.search("needle_in_rubble").hits[0].chunk.path == "bomb.py"
        shared_worker.worker().close()  # the same path a moment later is not worth another worker
        workspace.set_buffer("bomb.py", "/*\n" * 2600 + "another_needle\n")
        assert workspace.search("another_needle").hits[0].chunk.path == "bomb.py"


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("ending", ENDINGS)
def test_repeated_fragments_are_cut_one_way_or_the_other(ending: str, pool: WorkerPool) -> None:
    choose = random.Random(ending)
    fragments = choose.sample(FRAGMENTS, rounds(1, len(FRAGMENTS)))
    fragments += ["".join(choose.choices(FRAGMENTS, k=3)) for _ in range(rounds(1, 10))]  # the whole: 10 minutes of CPU
    texts = [fragment * (SIZE // len(fragment)) for fragment in fragments]
    jobs = [ChunkJob(f"{number}.{ending}", text, False) for number, text in enumerate(texts)]
    cut_all(jobs, pool)
    assert [(job.path, job.failure) for job in jobs if job.chunked is None] == []


def test_a_notebook_heading_is_looked_for_once_in_blank_lines() -> None:
    assert HEADING.search("\n" * 400_000) is None  # took minutes
    found = HEADING.search("\n \n  ## Title\n")
    assert found is not None
    assert found[2] == "Title"
