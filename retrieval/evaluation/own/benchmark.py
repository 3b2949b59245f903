"""Both kinds of questions about one repository, each with the tree that they are asked of.

Comments are asked of a copy of the repository in which no function has its comment: one that stands in a passage finds itself.
Commits are asked of the repository as it is. Which questions are taken depends on a hash, so that a second run takes the same.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from retrieval.evaluation.benchmarks import Benchmark, Question, Repository
from retrieval.evaluation.own.commit_questions import ask_commits
from retrieval.evaluation.own.doc_comments import is_asked_for, without_doc_comments
from retrieval.files import Scanner, read_file
from retrieval.private_files import private_folder, tighten_tree

COMMENTS, COMMITS = "comments", "commits"
MIN_QUESTIONS = 20  # fewer cannot tell a better encoder from a lucky one


@dataclass(frozen=True, slots=True)
class _Copy:
    root: Path
    questions: tuple[Question, ...]


def own_benchmarks(root: Path, copy: Path, limit: int) -> list[Benchmark]:
    """What a repository offers, at most `limit` questions of each kind; kinds with too few are left out. `copy` is a folder that
    is deleted and written anew.
    """
    without_comments = _copy_without_comments(root, copy)
    commits = ask_commits(root)
    kinds = {
        COMMENTS: (without_comments.root, _sample(without_comments.questions, limit)),
        COMMITS: (root, _sample(commits, limit)),
    }
    return [
        Benchmark(name, "function", (Repository(root.name, "", tree, questions),))
        for name, (tree, questions) in kinds.items()
        if len(questions) >= MIN_QUESTIONS
    ]


def _copy_without_comments(root: Path, copy: Path) -> _Copy:
    """The indexed files of a repository without the doc comments of its functions, and a question for each."""
    shutil.rmtree(copy, ignore_errors=True)
    private_folder(copy, top=copy.parent.parent)
    scanner = Scanner(root)
    questions: list[Question] = []
    for path in sorted(scanner.scan().stamps):
        text = getattr(read_file(root, path, limit=scanner.max_bytes), "text", None)
        if text is None:
            continue
        if is_asked_for(path):
            text, asked = without_doc_comments(path, text)
            questions += asked
        target = copy / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode("utf-8", "replace"))
    tighten_tree(copy)
    return _Copy(copy, tuple(questions))


def _sample(questions: Iterable[Question], limit: int) -> tuple[Question, ...]:
    """At most so many, each text once, the same ones each time."""
    once: dict[str, Question] = {}
    for question in questions:
        once.setdefault(question.query.lower(), question)
    chosen: Sequence[Question] = sorted(once.values(), key=lambda question: _hash(question.query))
    return tuple(chosen[:limit])


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
