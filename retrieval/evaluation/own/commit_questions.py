"""Commit subjects as questions: what somebody wrote about a change asks for the functions that it changed.

A change is followed to today's code by its lines: those that it added and that still stand once in the file. Where most of them
do, the functions around them are the answer.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from retrieval.evaluation.benchmarks import LineRange, Question, Target
from retrieval.evaluation.own.doc_comments import is_asked_for, says
from retrieval.files import read_file
from retrieval.indexing import shared_worker
from retrieval.processes.git import start_log
from retrieval.training.extraction import functions
from retrieval.training.pair_sources import is_routine, words_of
from retrieval.types import Skip

CATEGORY_FIX, CATEGORY_CHANGE = "fix", "change"
MAX_COMMITS = 2_000
SECONDS = 60.0
MAX_LINES = 5_000  # of a patch that are read
MAX_FILES = 4  # of a commit: one that changed more says little about each
MAX_FUNCTIONS = 3
MIN_WORDS = 4
MIN_KEPT = 0.5  # of a commit's added lines that still stand
MIN_LINE_CHARS = 8  # a brace stands everywhere

_COMMIT = "\x1e"
_FIX = re.compile(r"\b(?:fix\w*|bugs?|crash\w*|regression|wrong|broken|prevent\w*|avoid\w*)\b", re.IGNORECASE)
_PREFIX = re.compile(r"^\s*(?:\[[^\]]*\]\s*|[\w./,-]+(?:\([^)]*\))?!?:\s+)+")  # "fix(parser): ", "[core] "
_REFERENCE = re.compile(r"\s*\(?(?:#|GH-)\d+\)?")


@dataclass(slots=True)
class _Change:
    subject: str
    category: str
    added: dict[str, list[str]] = field(default_factory=dict)  # path -> lines


def ask_commits(root: Path) -> Iterator[Question]:
    """Questions from the history of a repository, newest first; none without git or a history."""
    shape = ("--no-merges", f"--max-count={MAX_COMMITS}", "--no-renames", "--relative", "-p", "-U0")
    files: dict[str, _File | None] = {}
    try:
        with start_log(root, *shape, f"--format={_COMMIT}%s", "--", ".") as git:
            for commit in _commits(git.stdout):
                change = _change(commit)
                question = None if change is None else _question(change, root, files)
                if question is not None:
                    yield question
    except OSError:  # there is no git
        return


def _commits(output: IO[str] | None) -> Iterator[list[str]]:
    """The lines of each commit, as far as they are read in time."""
    deadline, lines = time.monotonic() + SECONDS, list[str]()
    for line in output or ():
        if line.startswith(_COMMIT):
            if lines:
                yield lines
            if time.monotonic() > deadline:
                return
            lines = [line[1:].rstrip("\n")]
        elif 0 < len(lines) < MAX_LINES:
            lines.append(line.rstrip("\n"))
    if lines:
        yield lines


def _change(commit: list[str]) -> _Change | None:
    """The cleaned subject and the lines added to source files; None for a commit that cannot be a question."""
    subject, *patch = commit
    cleaned = _REFERENCE.sub("", _PREFIX.sub("", subject)).strip()
    if is_routine(subject) or len(words_of(cleaned)) < MIN_WORDS:
        return None
    change, path = _Change(cleaned, CATEGORY_FIX if _FIX.search(subject) else CATEGORY_CHANGE), ""
    for line in patch:
        if line.startswith("+++ "):
            path = line[6:] if line.startswith("+++ b/") else ""
            if path:
                change.added.setdefault(path, [])
        elif path and line.startswith("+"):
            change.added[path].append(line[1:])
    if len(change.added) > MAX_FILES:
        return None
    change.added = {path: lines for path, lines in change.added.items() if is_asked_for(path) and lines}
    return change if change.added else None


def _question(change: _Change, root: Path, files: dict[str, _File | None]) -> Question | None:
    targets: list[Target] = []
    added = kept = 0
    for path, lines in change.added.items():
        if path not in files:
            files[path] = _read(root, path)
        telling = {line.strip() for line in lines if len(line.strip()) >= MIN_LINE_CHARS}
        file = files[path]
        places = [] if file is None else sorted(file.unique[line] for line in telling if line in file.unique)
        added, kept = added + len(telling), kept + len(places)
        if file is not None:
            targets += file.targets(path, places)
    if not 0 < len(targets) <= MAX_FUNCTIONS or kept < MIN_KEPT * added:
        return None
    for target in targets:
        file = files[target.path]
        if file and target.function and says(change.subject, file.names[target.function]):
            return None
    return Question(change.subject, change.category, tuple(targets))


@dataclass(frozen=True, slots=True)
class _File:
    """A file of today: where each line that stands once is, and its functions."""

    unique: Mapping[str, int]
    names: Mapping[LineRange, str]  # the lines of each function, and its name

    def targets(self, path: str, places: list[int]) -> list[Target]:
        """The functions that hold these lines; of nested ones the innermost."""
        touched: dict[LineRange, list[LineRange]] = {}
        for place in places:
            around = [lines for lines in self.names if lines[0] <= place <= lines[1]]
            if around:
                touched.setdefault(min(around, key=lambda lines: lines[1] - lines[0]), []).append((place, place))
        return [Target(path, tuple(lines), function) for function, lines in sorted(touched.items())]


def _read(root: Path, path: str) -> _File | None:
    file = read_file(root, path)
    if isinstance(file, Skip):
        return None
    lines = [line.strip() for line in file.text.split("\n")]
    counts = Counter(lines)
    unique = {line: number for number, line in enumerate(lines, 1) if counts[line] == 1}
    source = file.text.encode("utf-8", "replace")
    rows = shared_worker.call(__name__, function_rows.__name__, path, source, text=file.text) or []
    return _File(unique, {(first, last): name for (first, last), name in rows})


def function_rows(path: str, source: bytes) -> list[tuple[LineRange, str]]:
    """Line range and name of each function of a file, for a worker to find."""
    return [(function.lines, function.qualified) for function in functions(path, source)]
