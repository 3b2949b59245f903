"""Where adapted models are kept, and which one a workspace uses. Cheap to import: every command asks.

    <data>/adapted/<name>-<hash of the resolved root>/<hash of the encoder's name>/
        record.json        what was adapted, the newest last
        NAME-adapted-N/    a model, as `c2llm model use` takes it
        work/              a run that is under way or was stopped

<data> is C2LLM_DATA_DIR, else the system's folder for this program's data: what a cache may lose took minutes to make. A model
stands for the encoder that it was made from, in its own workspace alone: where the settings name another encoder, that one is used.

record.json, version 1: {"version": 1, "root", "base", "models": [{"folder", …the fields of Adapted}]}.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from retrieval.bounded_files import read_json
from retrieval.errors import C2llmError
from retrieval.private_files import private_folder, tighten_tree, write_private

DATA_VARIABLE = "C2LLM_DATA_DIR"
APP = "c2llm-lsp"
RECORD = "record.json"
MAX_RECORD_BYTES = 1024 * 1024
VERSION = 1
KEPT = 2  # models a workspace: the one in use, and the one that `undo` goes back to


class AdaptError(C2llmError):
    """An adaptation that cannot be made, kept or taken back."""


@dataclass(frozen=True, slots=True)
class Adapted:
    """A model that was found better, and what it was found to be."""

    folder: str  # its name, in the folder of the record
    base_fingerprint: str
    fingerprint: str
    made: float  # unix time
    questions: int = 0
    before: Mapping[str, float] = field(default_factory=dict)  # NDCG@10: "ranked", "dense"
    after: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """The adapted models of one workspace, made from one encoder."""

    place: Path
    base: str
    models: tuple[Adapted, ...]

    @property
    def current(self) -> Adapted | None:
        return self.models[-1] if self.models else None

    @property
    def path(self) -> Path | None:
        """The folder of the model in use."""
        return self.place / self.models[-1].folder if self.models else None


def data_folder() -> Path:
    if variable := os.environ.get(DATA_VARIABLE):
        return Path(variable).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir(APP, appauthor=False))


def workspace_place(root: Path) -> Path:
    real = Path(os.path.realpath(root))
    name = _UNSAFE.sub("_", real.name)[:40] or "root"
    return data_folder() / "adapted" / f"{name}-{hashlib.blake2b(os.fsencode(real), digest_size=8).hexdigest()}"


def place_of(root: Path, base: str) -> Path:
    """The folder of what was adapted from this encoder in this workspace."""
    return workspace_place(root) / hashlib.blake2b(base.encode("utf-8", "replace"), digest_size=4).hexdigest()


def read(root: Path, base: str) -> Record:
    """Empty where nothing was adapted, or what was kept cannot be read any more."""
    place = place_of(root, base)
    try:
        table = read_json(place / RECORD, MAX_RECORD_BYTES)
        models = tuple(_adapted(row) for row in table["models"]) if table["version"] == VERSION else ()
    except (OSError, ValueError, KeyError, TypeError):
        models = ()
    return Record(place, base, tuple(model for model in models if (place / model.folder / "config.json").is_file()))


def in_use(root: Path, base: str) -> Path | None:
    """The model that stands for this encoder in this workspace."""
    return read(root, base).path


def keep(root: Path, base: str, model: Path, facts: Adapted) -> Record:
    """Move a finished model into its place and use it from now on. Raises AdaptError; what was in use then stays."""
    before = read(root, base)
    name = _UNSAFE.sub("-", Path(base).name)[:40] or "model"
    numbers = [int(found[1]) for path in before.place.glob("*-adapted-*") if (found := _NUMBER.search(path.name))]
    number = 1 + max(numbers, default=0)
    target = before.place / f"{name}-adapted-{number}"
    try:
        private_folder(before.place, top=data_folder())
        tighten_tree(model)
        model.replace(target)
        added = replace(facts, folder=target.name)
        record = Record(before.place, base, (*before.models, added)[-KEPT:])
        _write(root, record)
    except OSError as error:
        raise AdaptError(f"The model cannot be kept in {before.place} ({error}); search goes on as before.") from error
    for old in before.models[: len(before.models) + 1 - KEPT]:
        shutil.rmtree(before.place / old.folder, ignore_errors=True)
    return record


def undo(root: Path, base: str) -> tuple[Adapted, Record]:
    """Go back to what was used before; gives what was taken back. Raises AdaptError where there is nothing."""
    before = read(root, base)
    if before.current is None:
        raise AdaptError(f"Nothing was adapted in {root} from the encoder '{base}': there is nothing to undo.")
    record = Record(before.place, base, before.models[:-1])
    try:
        _write(root, record)
    except OSError as error:
        raise AdaptError(
            f"{before.place / RECORD} cannot be written ({error}); the adapted model is still used."
        ) from error
    shutil.rmtree(before.place / before.current.folder, ignore_errors=True)
    return before.current, record


_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_NUMBER = re.compile(r"-adapted-([0-9]{1,9})$")


def _write(root: Path, record: Record) -> None:
    """Whole or not at all."""
    table = {
        "version": VERSION,
        "root": str(root),
        "base": record.base,
        "models": [asdict(model) for model in record.models],
    }
    write_private(record.place / RECORD, json.dumps(table, indent=2) + "\n")


def _adapted(row: Mapping[str, Any]) -> Adapted:
    known = {one.name for one in fields(Adapted)}
    found = Adapted(**{name: value for name, value in row.items() if name in known})
    if Path(found.folder).name != found.folder:
        raise ValueError("a model outside of its place")
    return found
