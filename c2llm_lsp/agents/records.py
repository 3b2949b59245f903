"""What was written where, so that it can be taken out to the byte.

An edit is kept as the piece of text that it replaced and the one that it put there; of an untouched file nothing else is
known. The records are a private file among this program's data, and of no use without the files. Where they are lost, an
entry is still found by its name and taken out.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from retrieval.bounded_files import read_json
from retrieval.finetune.registry import data_folder
from retrieval.private_files import private_folder, write_private

FILE = "agents.json"
MAX_BYTES = 16_000_000
VERSION = 1


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit of a file; `before` and `after` are the changed pieces."""

    before: str
    after: str


@dataclass(slots=True)
class FileRecord:
    """The edits of a file in their order, and for which assistants they were made."""

    agents: list[str] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    is_new: bool = False  # the file was not there


@dataclass(slots=True)
class Records:
    """The records by file, and the folders that were made for files."""

    files: dict[str, FileRecord] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)


def load() -> Records:
    """Empty where they cannot be read."""
    try:
        table = read_json(data_folder() / FILE, MAX_BYTES)
        if table["version"] != VERSION:
            return Records()
        files = {path: _record(row) for path, row in table["files"].items()}
        return Records(files, list(map(str, table["folders"])))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return Records()


def save(records: Records) -> None:
    folder = private_folder(data_folder())
    write_private(folder / FILE, json.dumps({"version": VERSION, **asdict(records)}, indent=1))


def _record(row: dict[str, Any]) -> FileRecord:
    edits = [Edit(str(edit["before"]), str(edit["after"])) for edit in row["edits"]]
    return FileRecord(list(map(str, row["agents"])), edits, bool(row["is_new"]))


def remove_folders(records: Records) -> None:
    """Remove folders that were made, as far as they are empty now."""
    for folder in sorted(records.folders, key=len, reverse=True):
        with suppress(OSError):
            Path(folder).rmdir()
    records.folders = [folder for folder in records.folders if Path(folder).is_dir()]


def difference(before: str, after: str) -> Edit:
    """The one edit that makes a text of another: what is between their common beginning and their common end."""
    start = _common(before, after, min(len(before), len(after)))
    end = _common(before[::-1], after[::-1], min(len(before), len(after)) - start)
    return Edit(before[start : len(before) - end], after[start : len(after) - end])


def _common(one: str, other: str, most: int) -> int:
    """How many characters two texts begin with alike, at most so many."""
    return next((number for number in range(most) if one[number] != other[number]), most)


def revert(text: str, edit: Edit) -> str | None:
    """The text without an edit; None where what it put there is not there any more, or several times."""
    if not edit.after or text.count(edit.after) != 1:
        return None
    return text.replace(edit.after, edit.before, 1)
