from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.training.training_curve import Curve


def lines(folder: Path) -> list[str]:
    return (folder / "curve.csv").read_text().splitlines()


def test_rows_after_the_step_of_a_resumed_run_are_dropped(tmp_path: Path) -> None:
    curve = Curve(tmp_path / "curve.csv", 0, ("loss", "mrr"))
    for step in (10, 20, 30):
        curve.add(step, 1.6, loss=1 / step, mrr=0.5)
    again = Curve(tmp_path / "curve.csv", 20, ("loss", "mrr"))
    again.add(30, 9.0, loss=0.25, mrr=0.75)
    assert lines(tmp_path) == ["step,seconds,loss,mrr", "10,2,0.1,0.5", "20,2,0.05,0.5", "30,9,0.25,0.75"]


def test_a_field_that_is_new_is_empty_in_older_rows(tmp_path: Path) -> None:
    Curve(tmp_path / "curve.csv", 0, ("loss",)).add(10, 1, loss=0.5)
    Curve(tmp_path / "curve.csv", 10, ("loss", "mrr")).add(20, 2, loss=0.25, mrr=0.5)
    assert lines(tmp_path) == ["step,seconds,loss,mrr", "10,1,0.5,", "20,2,0.25,0.5"]


def test_tensorboard_gets_the_same_values(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    curve = Curve(tmp_path / "curve.csv", 0, ("loss",))
    curve.add(10, 1, loss=0.5)
    curve.add(20, 2, loss=0.25)
    events = EventAccumulator(str(tmp_path / "events"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [(10, 0.5), (20, 0.25)]
