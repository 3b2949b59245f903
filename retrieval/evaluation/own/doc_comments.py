"""Doc comments as questions: what somebody wrote about a function asks for it, where the comment itself is gone."""

from __future__ import annotations

import re
from typing import Any

from retrieval.chunking.line_index import LineIndex
from retrieval.evaluation.benchmarks import Question, Target
from retrieval.indexing import shared_worker
from retrieval.training.extraction import documented, language_of
from retrieval.training.mining import SKIPPED_PARTS, is_handwritten

CATEGORY = "comment"
MIN_WORDS = 4  # of a comment that is a question
MAX_CHARS = 300
_SENTENCE = re.compile(r".*?[.!?](?=\s|$)", re.DOTALL)
_NO_BREAK = re.compile(rb"[^\n]")


def is_asked_for(path: str) -> bool:
    """Whether functions of a file are asked for: not those of tests, vendored or minified files."""
    return bool(language_of(path)) and ".min." not in path and not SKIPPED_PARTS.intersection(path.lower().split("/"))


def without_doc_comments(path: str, text: str) -> tuple[str, list[Question]]:
    """A file with blanks in place of its functions' comments, so that lines keep their numbers, and the questions."""
    source = text.encode("utf-8", "replace")
    if not is_handwritten(source):
        return text, []
    rows = shared_worker.call(__name__, documented_rows.__name__, path, source, text=source.decode("utf-8")) or []
    lines, kept, questions = LineIndex(source.decode("utf-8")), bytearray(source), []
    for doc, qualified, comments, (start, end) in rows:
        for first, last in comments:
            kept[first:last] = _NO_BREAK.sub(b" ", source[first:last])
        query = _question(doc)
        if len(query.split()) >= MIN_WORDS and not says(query, qualified):
            function = (lines.line_at(start) + 1, lines.line_at(max(start, end - 1)) + 1)
            questions.append(Question(query, CATEGORY, (Target(path, (function,), function),)))
    return kept.decode("utf-8"), questions


def documented_rows(path: str, source: bytes) -> list[tuple[Any, ...]]:
    """Comment, name, places of the comments and of the code of each documented function, for a worker to find."""
    return [(found.pair.doc, found.pair.qualified, found.docs, found.code) for found in documented(path, source)]


def says(query: str, qualified: str) -> bool:
    """Whether a question gives away the name that it asks for."""
    words = set(re.findall(r"\w+", query.lower()))
    return any(len(name) > 3 and name in words for name in re.split(r"\W+", qualified.lower()))


def _question(doc: str) -> str:
    """The first sentence."""
    sentence = _SENTENCE.match(doc)
    return " ".join((sentence[0] if sentence else doc).split())[:MAX_CHARS]
