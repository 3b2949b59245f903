"""Training pairs and evaluation questions of a repository: from doc comments, names and commit messages.

The split is by file: a fifth is held out for evaluation, the rest is for training. It depends on a hash of the paths, so that a
second run makes the same split. Near-duplicates of held-out code or comments are dropped from training.

Held-out files are evaluated without the comments that are the questions: a comment in the passage would find itself. Vendored code,
tests and generated files are in neither part; they stay in the index as distractors.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Any

from retrieval.chunking.line_index import LineIndex
from retrieval.evaluation.metrics import FileSpan
from retrieval.files import Scanner, read_file
from retrieval.indexing import shared_worker
from retrieval.training.decontamination import ExcludedCode
from retrieval.training.extraction import DocumentedCode, Function, Pair, documented, functions, language_of
from retrieval.training.mining import SKIPPED_PARTS, is_handwritten
from retrieval.training.pair_sources import words_of

HELD_OUT = 0.2  # of the documented functions, by file
MAX_QUESTIONS = (
    300  # of doc comments; of names and of commits a third each. more take time and hardly narrow the margin
)
MIN_QUESTIONS = 20  # fewer cannot tell a better model from a lucky one
MIN_PAIRS = 60  # to learn from
MAX_PAIRS = 20_000  # what minutes suffice for
_NAME_WORDS = 2  # of a name that is a question
_BODY_CHARS = 1_200
_WORD = re.compile(r"[a-z]+")


def _silent(done: int, total: int) -> None:
    """No progress is shown."""


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    kind: str  # "comment", "name" or "commit"
    targets: tuple[FileSpan, ...]


@dataclass(frozen=True, slots=True)
class RepositoryDataset:
    """`hidden`: held-out files by path, without the comments that are questions; `learnt`: the training pairs."""

    questions: tuple[Question, ...]
    hidden: Mapping[str, str]
    learnt: tuple[Pair, ...]
    files: int = 0  # with training pairs or questions
    dropped: int = 0  # near-duplicates of held-out pairs

    @property
    def documented(self) -> int:
        """Training pairs with a comment; the others have their names alone."""
        return sum(bool(pair.doc) for pair in self.learnt)

    @property
    def digest(self) -> str:
        """A hash of the training pairs: a run is resumed only if it is the same."""
        found = hashlib.blake2b(digest_size=16)
        for pair in self.learnt:
            for part in (pair.path, pair.qualified, pair.doc, pair.body):
                found.update(part.encode("utf-8", "replace") + b"\0")
        return found.hexdigest()

    def counts(self) -> dict[str, int]:
        """Questions by kind."""
        return dict(Counter(question.kind for question in self.questions))


@dataclass(slots=True)
class _File:
    """One source file; functions without a comment are pairs with an empty doc."""

    path: str
    text: str
    found: list[DocumentedCode]
    named: list[Pair] = field(default_factory=list)


def collect(
    root: Path,
    scanner: Scanner,
    paths: Iterable[str],
    commits: Iterable[tuple[str, Sequence[str]]] = (),
    progress: Callable[[int, int], None] = _silent,
) -> RepositoryDataset:
    """Collect the dataset from the files at these paths; `commits` are messages with the files that they changed."""
    wanted = sorted(path for path in paths if _is_wanted(path))
    files = []
    for done, path in enumerate(wanted, 1):
        file = _read(root, path, scanner.max_bytes)
        if file is not None:
            files.append(file)
        progress(done, len(wanted))
    judged, learnt = _parted(files)
    hidden, questions = {}, []
    for file in judged:
        hidden[file.path], asked = without_comments(file.path, file.text, file.found)
        questions += asked
    questions = _first(questions, MAX_QUESTIONS)
    questions += _first(_name_questions(judged, hidden, files), min(MAX_QUESTIONS // 3, len(questions)))
    questions += _first(_commit_questions(commits, {file.path for file in files}, hidden), MAX_QUESTIONS // 3)
    kept, dropped = _unlike(learnt, judged)
    return RepositoryDataset(
        tuple(questions),
        hidden,
        tuple(_first_pairs(kept, MAX_PAIRS)),
        len(files),
        dropped,
    )


def _is_wanted(path: str) -> bool:
    return bool(language_of(path)) and ".min." not in path and not SKIPPED_PARTS.intersection(path.lower().split("/"))


def _read(root: Path, path: str, limit: int) -> _File | None:
    """None for a file that cannot be read, was generated, or has no usable functions."""
    file = read_file(root, path, limit=limit)
    text = getattr(file, "text", None)
    if text is None:
        return None
    source = text.encode("utf-8", "replace")
    if not is_handwritten(source):
        return None
    try:
        found = _documented(path, source)
        names = {one.pair.qualified for one in found}
        named = [
            Pair(language_of(path), path, one.qualified, "", one.code.strip("\n")[:_BODY_CHARS])
            for one in _functions(path, source)
            if one.qualified not in names and one.code.count("\n") >= 2 and len(words_of(one.name)) >= _NAME_WORDS
        ]
    except (ValueError, RecursionError):
        return None
    return _File(path, source.decode("utf-8"), found, named) if found or named else None


def _documented(path: str, source: bytes) -> list[DocumentedCode]:
    rows = (
        shared_worker.call(__name__, documented_rows.__name__, path, source, text=source.decode("utf-8", "replace"))
        or ()
    )
    return [DocumentedCode(Pair(*pair), docs, code) for pair, docs, code in rows]


def documented_rows(path: str, source: bytes) -> list[tuple[Any, ...]]:
    """What is documented in a file, as tuples, for a worker to find."""
    return [(astuple(one.pair), one.docs, one.code) for one in documented(path, source)]


def _functions(path: str, source: bytes) -> list[Function]:
    rows = (
        shared_worker.call(__name__, function_rows.__name__, path, source, text=source.decode("utf-8", "replace")) or ()
    )
    return [Function(*row) for row in rows]


def function_rows(path: str, source: bytes) -> list[tuple[Any, ...]]:
    """The functions of a file, as tuples, for a worker to find."""
    return [astuple(one) for one in functions(path, source)]


def _parted(files: Sequence[_File]) -> tuple[list[_File], list[_File]]:
    """Split the files into held-out and training ones, by their share of the documented functions."""
    room = HELD_OUT * sum(len(file.found) for file in files)
    judged: list[_File] = []
    learnt: list[_File] = []
    for file in sorted(files, key=lambda file: _hash(file.path)):
        if room > 0 and len(file.found) < 1.5 * room:  # one file may hold half of a small repository: it is trained on
            judged.append(file)
            room -= len(file.found)
        else:
            learnt.append(file)
    return judged, learnt


def without_comments(path: str, source: str, found: Sequence[DocumentedCode]) -> tuple[str, list[Question]]:
    """The file without the comments that are questions, and the questions with their locations in the remaining text."""
    data = source.encode("utf-8")
    spans = sorted({_whole_lines(data, *span) for one in found for span in one.docs})
    kept, at = bytearray(), 0
    moved: list[tuple[int, int]] = []  # from this byte on, so many are gone
    for start, end in spans:
        if end <= at:
            continue
        kept += data[at : max(start, at)]
        moved.append((end, end - max(start, at) + (moved[-1][1] if moved else 0)))
        at = end
    kept += data[at:]
    text = kept.decode("utf-8", "replace")
    lines = LineIndex(text)

    def line(byte: int) -> int:
        gone = next((count for place, count in reversed(moved) if place <= byte), 0)
        return lines.line_at(min(max(byte - gone, 0), max(len(kept) - 1, 0))) + 1

    return text, [
        Question(one.pair.doc, "comment", (FileSpan(path, line(one.code[0]), line(one.code[1] - 1)),)) for one in found
    ]


def _whole_lines(data: bytes, start: int, end: int) -> tuple[int, int]:
    """The span with its indentation and line end, where nothing else stands on its lines."""
    first = data.rfind(b"\n", 0, start) + 1
    following = data.find(b"\n", max(end - 1, start))
    last = len(data) if following < 0 else following + 1
    alone = not data[first:start].strip() and not data[end:last].strip()
    return (first, last) if alone else (start, end)


def _name_questions(judged: Sequence[_File], hidden: Mapping[str, str], files: Sequence[_File]) -> list[Question]:
    """Names of several words that one function of the repository bears."""
    names = Counter(name for file in files for name in _names(file))
    found = []
    for file in judged:
        data = hidden[file.path].encode("utf-8")
        lines = LineIndex(hidden[file.path])
        for one in _functions(file.path, data):
            words = words_of(one.name)
            if len(words) < _NAME_WORDS or names[one.name] != 1:
                continue
            start = data.find(one.code.split("\n", 1)[0].encode("utf-8", "replace"))
            if start >= 0:
                first = lines.line_at(start) + 1
                place = FileSpan(file.path, first, first + one.code.count("\n"))
                found.append(Question(" ".join(words), "name", (place,)))
    return found


def _names(file: _File) -> list[str]:
    return [pair.qualified.rpartition(".")[2] for pair in (*(one.pair for one in file.found), *file.named)]


def _commit_questions(
    commits: Iterable[tuple[str, Sequence[str]]], known: set[str], hidden: Mapping[str, str]
) -> list[Question]:
    """Messages of commits that changed few files, at least one of them held out."""
    found = []
    for message, paths in commits:
        changed = [path for path in paths if path in known]
        if 0 < len(changed) <= 3 and any(path in hidden for path in changed):
            found.append(Question(message, "commit", tuple(FileSpan(path) for path in changed)))
    return found


def _unlike(files: Sequence[_File], judged: Sequence[_File]) -> tuple[list[Pair], int]:
    """The pairs without near-duplicates of held-out ones; and how many were dropped."""
    known = ExcludedCode(file.text for file in judged)
    docs = {_plain(one.pair.doc) for file in judged for one in file.found}
    kept, dropped = [], 0
    for file in files:
        for pair in (*(one.pair for one in file.found), *file.named):
            if known.is_copy(pair.body) or (pair.doc and _plain(pair.doc) in docs):
                dropped += 1
            else:
                kept.append(pair)
    return kept, dropped


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))


def _first(questions: Sequence[Question], most: int) -> list[Question]:
    """At most so many, the same ones each time; each text once."""
    once = {question.text: question for question in questions}
    chosen = sorted(once.values(), key=lambda question: _hash(question.text + question.targets[0].path))
    return [replace(question) for question in chosen[:most]]


def _first_pairs(pairs: Sequence[Pair], most: int) -> list[Pair]:
    """Those with a comment go first; in the order of the files."""
    if len(pairs) <= most:
        return list(pairs)
    order = sorted(range(len(pairs)), key=lambda i: (not pairs[i].doc, _hash(f"{pairs[i].path}:{i}")))
    return [pairs[i] for i in sorted(order[:most])]


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "little")
