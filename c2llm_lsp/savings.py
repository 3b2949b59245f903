"""How many tokens the answers given to assistants saved against reading the files that they name.

One line is kept for each answer, in a private file on this machine: the day, the tokens of the answer and those of the
files. Neither a query nor a path is in it, and nothing is sent. What an answer takes is estimated rather too high, and what
files take rather too low, so that the savings are more than is told. The setting `savings` turns it off.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from retrieval.bounded_files import read_bounded
from retrieval.errors import StoreError
from retrieval.finetune.registry import data_folder
from retrieval.private_files import private_folder, private_opener

FILE = "savings.jsonl"
MAX_BYTES = 16_000_000  # some 200,000 answers; then no more are counted
BYTES_PER_TOKEN = 5  # of a whole file: code has 3 to 4


@dataclass(frozen=True, slots=True)
class Sum:
    """The answers of some days: how many, their tokens, and those of the files that they name."""

    answers: int = 0
    shown: int = 0
    files: int = 0

    @property
    def saved(self) -> int:
        return max(self.files - self.shown, 0)

    def __add__(self, other: Sum) -> Sum:
        return Sum(self.answers + other.answers, self.shown + other.shown, self.files + other.files)


def count(text: str, root: Path, paths: Iterable[str], *, today: date | None = None) -> None:
    """Count an answer about these files. It never fails: an answer is worth more than its count."""
    from retrieval.rag.token_estimate import estimate_tokens

    size = 0
    for path in set(paths):
        with suppress(OSError, ValueError):
            size += (root / path).stat().st_size
    if not size:
        return
    row = {"day": str(today or date.today()), "shown": estimate_tokens(text), "files": size // BYTES_PER_TOKEN}
    with suppress(OSError, StoreError):
        file = private_folder(data_folder()) / FILE
        if file.exists() and file.stat().st_size > MAX_BYTES:
            return
        with open(file, "ab", opener=private_opener) as out:  # one write each: processes do not mix their lines
            out.write(f"{json.dumps(row)}\n".encode())


def days() -> dict[str, Sum]:
    """The sums by day. A line that cannot be read is left out."""
    sums: dict[str, Sum] = {}
    try:
        lines = read_bounded(data_folder() / FILE, 2 * MAX_BYTES).split(b"\n")
    except OSError:
        return sums
    for line in lines:
        with suppress(ValueError, LookupError, TypeError, RecursionError, OverflowError):
            row = json.loads(line)
            day = str(date.fromisoformat(row["day"]))
            sums[day] = sums.get(day, Sum()) + Sum(1, int(row["shown"]), int(row["files"]))
    return sums


def periods(today: date | None = None) -> dict[str, Sum]:
    """The sums of today, of the last 7 and 30 days, and of all."""
    today, by_day = today or date.today(), days()

    def since(first: date) -> Sum:
        return sum((each for day, each in by_day.items() if day >= str(first)), Sum())

    return {
        "today": since(today),
        "7 days": since(today - timedelta(days=6)),
        "30 days": since(today - timedelta(days=29)),
        "all": since(date.min),
    }


def clear() -> bool:
    """Delete what was counted; whether there was anything."""
    try:
        (data_folder() / FILE).unlink()
    except FileNotFoundError:
        return False
    return True
