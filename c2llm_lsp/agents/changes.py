"""Plans and makes the changes to configuration files. A plan has the new text of each file and is shown before anything is
written; a file that is broken, protected or changes meanwhile is left as it is, and the sentence says which and why.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from c2llm_lsp.agents.catalog import Agent, Scope
from c2llm_lsp.agents.entries import FORMATS, Entry, Folders, entries
from c2llm_lsp.agents.errors import ConfigError
from c2llm_lsp.agents.records import Edit, FileRecord, difference, revert
from retrieval.bounded_files import read_bounded
from retrieval.files.token_masking import mask_tokens

MAX_PROJECT_BYTES = 1_000_000  # a stranger may have written it: 64 MB of JSON can take 8 GB
MAX_BYTES = 64_000_000  # Claude Code keeps its history beside its settings
CONTEXT_LINES = 2  # around a change that is shown
NEW_FILE_MODE = 0o600  # outside a project: such files hold keys
_HUNK = re.compile(r"^@@ -(\d+)((?:,\d+)?) \+(\d+)((?:,\d+)?) @@$")


@dataclass(slots=True)
class Change:
    """The change of one file. `after` is None for a file that is deleted."""

    file: Path
    before: str | None
    after: str | None
    agents: list[str]
    edits: list[Edit] = field(default_factory=list)  # to be recorded; empty for an undo

    def diff(self) -> list[str]:
        """The lines around the change, without tokens of known forms: people show such output to others."""
        old, new = (self.before or "").splitlines(), (self.after or "").splitlines()
        start = max(_alike(old, new) - CONTEXT_LINES, 0)
        rest = max(_alike(old[start:][::-1], new[start:][::-1]) - CONTEXT_LINES, 0)
        old, new = old[start : len(old) - rest], new[start : len(new) - rest]
        names = ("/dev/null" if self.before is None else str(self.file), str(self.file))
        if self.after is None:
            names = (str(self.file), "/dev/null")
        rows = difflib.unified_diff(old, new, *names, lineterm="", n=CONTEXT_LINES)
        return [mask_tokens(_HUNK.sub(lambda found: _moved(found, start), row)) for row in rows]


def _alike(one: list[str], other: list[str]) -> int:
    """How many lines two texts begin with alike: difflib's time grows with the square of what it is given."""
    return next(
        (number for number, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _moved(hunk: re.Match[str], lines: int) -> str:
    return f"@@ -{int(hunk[1]) + lines}{hunk[2]} +{int(hunk[3]) + lines}{hunk[4]} @@"


def plan_install(
    agent: str,
    wanted: Iterable[Entry],
    records: dict[str, FileRecord],
    project: Path | None,
    planned: dict[Path, Change],
) -> None:
    """Add what an assistant needs to the changes, file by file; of a project, or without one of a person. Raises ConfigError
    with the file's name.
    """
    for entry in wanted:
        file = _target(entry.file, project)
        change = planned.get(file)
        try:
            if change is None:
                before = _read(file, project)
                change = Change(file, before, before, [])
            text = _with_entry(change.after or "", entry, records.get(str(file)))
        except ConfigError as error:
            raise ConfigError(f"{file} was left as it is: {error}.") from None
        if agent not in change.agents:
            change.agents.append(agent)
        if text != change.after:
            change.edits.append(difference(change.after or "", text))
            change.after = text
        planned[file] = change


def _with_entry(text: str, entry: Entry, record: FileRecord | None) -> str:
    if entry.format == "file":
        if text and text != entry.data and _reverted(text, record) != "":
            raise ConfigError("there is another file of this name")
        return str(entry.data)
    editor = FORMATS[entry.format]
    present = editor.get(text, entry.path)
    wanted = str(entry.data).strip() if entry.format == "section" else entry.data
    if present == wanted or (entry.is_default and present is not None):
        return text
    newline = "\r\n" if "\r\n" in text and "\n" not in text.replace("\r\n", "") else "\n"
    after = editor.put(text.replace("\r\n", "\n") if newline == "\r\n" else text, entry.path, entry.data)
    return after.replace("\n", newline) if newline == "\r\n" else after


def plan_undo(
    agent: str,
    wanted: Iterable[Entry],
    records: dict[str, FileRecord],
    project: Path | None,
    planned: dict[Path, Change],
) -> None:
    """Add to the changes what takes an assistant's entries out again; what others share with it stays."""
    for entry in wanted:
        file = _target(entry.file, project)
        record = records.get(str(file))
        change = planned.get(file)
        try:
            if change is None:
                before = _read(file, project)
                if before is None:
                    continue
                change = Change(file, before, before, [])
            gone = {*change.agents, agent}
            if record and set(record.agents) - gone:
                change.agents.append(agent)
                planned[file] = change
                continue
            after = _without_entries(change.before or "", entry, record, change.after)
        except ConfigError as error:
            raise ConfigError(f"{file} was left as it is: {error}.") from None
        change.agents.append(agent)
        change.after = after
        planned[file] = change


def _without_entries(before: str, entry: Entry, record: FileRecord | None, planned: str | None) -> str | None:
    """The text without what was written: all recorded edits at once, else this entry by its name."""
    original = _reverted(before, record)
    if entry.format == "file":
        if original != "" and before != entry.data:
            raise ConfigError("it was changed since; delete it if you do not need it")
        return None
    try:
        text = original if original is not None else planned or ""
        FORMATS[entry.format].get(text, entry.path)
    except ConfigError:  # others have changed what is around it
        original, text = None, planned or ""
    if original is None and not entry.is_default:
        text = FORMATS[entry.format].drop(text, entry.path)
    return None if record and record.is_new and text.strip() in ("", "{}") else text


def _reverted(text: str, record: FileRecord | None) -> str | None:
    """The text without all recorded edits; None where one of them is not there as it was made."""
    if record is None or not record.edits:
        return None
    for edit in reversed(record.edits):
        reverted = revert(text, edit)
        if reverted is None:
            return None
        text = reverted
    return text


def write(change: Change, project: Path | None) -> list[str]:
    """Make a change, whole or not at all; returns the folders that were made. Raises ConfigError."""
    try:
        if os.path.realpath(change.file) != str(change.file):
            raise ConfigError("a folder above it has become a link meanwhile")
        if _read(change.file, project) != change.before:
            raise ConfigError("it has changed meanwhile; run the command again")
        if change.after is None:
            change.file.unlink()
            return []
        return _replace(change.file, change.after, project)
    except OSError as error:
        raise ConfigError(f"{change.file} cannot be written: {error.strerror or error}.") from None
    except ConfigError as error:
        raise ConfigError(f"{change.file} was left as it is: {error}.") from None


def is_configured(agent: Agent, scope: Scope, folders: Folders) -> bool:
    """Whether the first of what is written for an assistant is there, in whatever form."""
    try:
        first = next(iter(entries(agent, scope, folders)), None)
        text = _read(first.file, folders.project if scope == "project" else None) if first else None
        if first is None or text is None:
            return False
        return first.format == "file" or FORMATS[first.format].get(text, first.path) is not None
    except ConfigError:
        return False


def _replace(file: Path, text: str, project: Path | None) -> list[str]:
    missing = [folder for folder in file.parents if not folder.exists()]
    file.parent.mkdir(parents=True, exist_ok=True)
    mode = stat.S_IMODE(file.stat().st_mode) if file.exists() else None
    temporary = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
    try:
        number = os.open(temporary, flags, NEW_FILE_MODE if project is None else 0o666)
        with os.fdopen(number, "wb") as out:
            out.write(text.encode("utf-8", "surrogateescape"))
            out.flush()
            os.fsync(number)
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(file)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        for folder in missing:
            with suppress(OSError):
                folder.rmdir()
        raise
    return [str(folder) for folder in missing]


def _target(file: Path, project: Path | None) -> Path:
    """The file behind links, which stay; a link in a project may not lead out of it."""
    real = Path(os.path.realpath(file))
    if project is not None and not real.is_relative_to(os.path.realpath(project)):
        raise ConfigError(f"{file} was left as it is: it is a link that leads out of the project.")
    return real


def _read(file: Path, project: Path | None) -> str | None:
    """The text of a file; None where there is none. Raises ConfigError for one that may not be written."""
    try:
        content = read_bounded(file, MAX_BYTES if project is None else MAX_PROJECT_BYTES)
        status = file.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"it cannot be read ({error.strerror or error})") from None
    if not status.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(file, os.W_OK):
        raise ConfigError("it is read-only")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError("it is not UTF-8") from None
