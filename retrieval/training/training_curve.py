"""A run's curve: a CSV beside its checkpoint, and event files for tensorboard where that is installed."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Curve:
    """Rows appended as they come; rows after the step that a run resumes from are dropped."""

    def __init__(self, path: Path, step: int, fields: Sequence[str]) -> None:
        self._path, self._fields = path, ("step", "seconds", *fields)
        rows: list[dict[str, str]] = []
        if path.exists():
            with path.open(newline="") as handle:
                rows = [row for row in csv.DictReader(handle) if int(row["step"]) <= step]
        with path.open("w", newline="") as handle:
            writer = csv.DictWriter(handle, self._fields, restval="", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
        self._events = _events(path.parent / "events", step)

    def add(self, step: int, seconds: float, **values: float) -> None:
        row = {"step": step, "seconds": round(seconds)} | {name: round(value, 4) for name, value in values.items()}
        with self._path.open("a", newline="") as handle:
            csv.DictWriter(handle, self._fields, restval="").writerow(row)
        if self._events is not None:
            for name, value in values.items():
                self._events.add_scalar(name, value, step)
            self._events.flush()


def _events(folder: Path, step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:  # the CSV says the same
        return None
    return SummaryWriter(str(folder), purge_step=step + 1)
