"""Answers with unsaved buffers equal those of a fresh index of the same text, whatever was done to get there."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval.encoders import load
from retrieval.encoders.token_overlap import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.errors import CancelledError
from retrieval.store.analyzer import terms_of
from retrieval.types import SearchRequest
from tests.engine.random_editor import Editor
from tests.soak import rounds

EDITS, CHECK_EVERY = rounds(2_000, 10_000), 125


@pytest.mark.slow
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(seed=st.integers(0, 10_000), steps=st.lists(st.integers(1, 12), min_size=1, max_size=5))
def test_answers_equal_those_of_a_fresh_index(
    tmp_path_factory: pytest.TempPathFactory, seed: int, steps: list[int]
) -> None:
    editor = Editor(tmp_path_factory.mktemp("edits"), random.Random(seed), OverlapEncoder)
    with editor.workspace:
        for count in steps:
            for _ in range(count):
                editor.step()
            editor.check()


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_thousands_of_edits_leave_no_drift(tmp_path: Path) -> None:
    editor = Editor(tmp_path, random.Random(5), OverlapEncoder)
    with editor.workspace:
        for number in range(1, EDITS + 1):
            editor.step()
            if number % CHECK_EVERY == 0:
                editor.check()
                check_whole(editor)


@pytest.mark.slow
def test_with_the_embedded_model_too(tmp_path: Path) -> None:
    """Its vectors depend on what else is in the batch, by some 1e-7; rounding for the store makes 1e-4 of it."""
    encoder = load("embedded")
    editor = Editor(tmp_path, random.Random(6), lambda: encoder)
    with editor.workspace:
        for _ in range(12):
            for _ in range(8):
                editor.step()
            editor.check(tolerance=1e-3)


class Meanwhile:
    """Never cancels; does something when it is asked for the n-th time: between two stages of a query."""

    def __init__(self, calls: int, work: Callable[[], object]) -> None:
        self.calls, self.work = calls, work

    def is_set(self) -> bool:
        self.calls -= 1
        if self.calls == 0:
            self.work()
        return False


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_a_query_sees_one_state_whatever_is_typed_or_saved_meanwhile(tmp_path: Path, stage: int) -> None:
    editor = Editor(tmp_path, random.Random(1), OverlapEncoder)
    one, two, three = (
        f"def push_{n}(stack):\n    return stack.push({n})\n\n\nclass Redirect{n}:\n    pass\n" for n in (1, 2, 3)
    )
    with editor.workspace as workspace:
        editor.change_on_disk("b.py", one)
        before = places(workspace)
        typed = places(workspace, Meanwhile(stage, lambda: editor.type("b.py", two)))
        assert typed == before, "what was there when it was asked"
        buffered = places(workspace)
        saved = places(workspace, Meanwhile(stage, lambda: editor.save("b.py", stays_open=False)))
        assert saved == buffered == places(workspace)
        changed = places(workspace, Meanwhile(stage, lambda: editor.change_on_disk("b.py", three)))
        assert changed == places(workspace) != saved, "what a commit has overtaken is asked again"


def places(workspace: Workspace, cancel: Meanwhile | None = None) -> list[tuple[object, ...]]:
    hits = workspace.search(SearchRequest("push stack redirect", limit=20), cancel=cancel).hits
    return [(hit.chunk.path, hit.start_line, hit.text, round(hit.score, 6)) for hit in hits]


class Countdown:
    """A cancel that comes when it was asked for the n-th time."""

    def __init__(self, calls: int) -> None:
        self.calls = calls

    def is_set(self) -> bool:
        self.calls -= 1
        return self.calls < 0


def test_a_query_that_is_given_up_ends_between_its_stages(tmp_path: Path) -> None:
    editor = Editor(tmp_path, random.Random(1), OverlapEncoder)
    with editor.workspace as workspace:
        stages = 0
        while True:
            try:
                found = workspace.search("push stack", cancel=Countdown(stages)).hits
                break
            except CancelledError:
                stages += 1
        assert stages >= 3
        assert found == workspace.search("push stack").hits


def test_the_same_text_again_costs_nothing(tmp_path: Path) -> None:
    editor = Editor(tmp_path, random.Random(1), OverlapEncoder)
    with editor.workspace as workspace:
        editor.type("b.py", "def push(stack):\n    return stack\n")
        before = workspace.context.overlay.snapshot(workspace.store).view
        workspace.set_buffer("b.py", "def push(stack):\n    return stack\n")
        assert workspace.context.overlay.snapshot(workspace.store).view is before


def test_chunks_that_read_the_same_are_all_there(tmp_path: Path) -> None:
    editor = Editor(tmp_path, random.Random(1), OverlapEncoder)
    same = "".join(f"    stack = {n}\n" for n in range(40))
    with editor.workspace as workspace:
        editor.type("twice.py", f"def push():\n{same}\n\ndef push():\n{same}")
        buffers = workspace.context.overlay.snapshot(workspace.store).view.buffers
        assert len({row.id for row in buffers["twice.py"].rows}) == 2
        editor.check()


def check_whole(editor: Editor) -> None:
    """The state that edits have built up is that of buffers opened once."""
    overlay = editor.workspace.context.overlay
    view = overlay.snapshot(editor.workspace.store).view
    shown = [row for buffer in view.buffers.values() for row in buffer.rows]
    assert set(view.rows) == {row.id for row in shown} == set(view.corpus.ids().tolist())
    assert len(view.corpus.parts) < 12, "parts are merged"
    assert sum(len(part.segment.ids) for part in view.corpus.parts) < 20 * max(10, len(shown)), "what went is let go"
    vectors = {} if view.index is None else {int(i) for i in view.index.ids()}
    assert vectors == {row.id for row in shown if row.vector is not None} or not shown
    for row in shown:
        cosine = view.index.cosines(row.vector, np.array([row.id]))[0]
        assert cosine == pytest.approx(1.0, abs=1e-2)
    assert {path: overlay.text_of(path) for path in editor.buffers} == editor.buffers
    counted: dict[str, int] = defaultdict(int)
    for row in shown:
        for word in ("alpha", "stack"):
            counted[word] += word in " ".join(terms_of((row.id, *_parts(row.chunk)))[1:]).split()
    assert view.corpus.frequencies(["alpha", "stack"]) == {word: counted[word] for word in ("alpha", "stack")}


def _parts(chunk) -> tuple[str, str, str, str]:  # type: ignore[no-untyped-def]
    return chunk.symbol, chunk.path, chunk.scope, chunk.text
