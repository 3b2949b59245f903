"""Text-only retrieval out of any folder of prose: Markdown, reStructuredText or plain text.

A task is a passage and its own first sentence, which is taken out of it: to find the rest again, a model has to know what
belongs together. Code, tables and lists of options are left out, so that nothing but prose is compared. The same folder
gives the same tasks.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from retrieval.evaluation.pooling.runs import EvaluationError

ENDINGS = frozenset({".md", ".markdown", ".rst", ".txt"})
PIECE_WORDS = 60  # a passage is as many paragraphs of one section as it takes
SENTENCE_WORDS = (5, 30)
MOST_A_FILE = 20  # or one long book would be half of the passages
MOST = 1_500
PROSE_SHARE = 0.8  # of a paragraph's letters, digits and blanks: formulas, tables and commands have less

_HEADING = re.compile(r"#{1,6} |%$|=+ .* =+$")
_UNDERLINE = re.compile(r"([=\-~^\"'`*+#])\1{2,}\s*$")
_NO_PROSE = re.compile(r"\s{2,}|\t|[|>*+<:;.$&]|-\s|\d+[.)]\s|\[")
_SENTENCE = re.compile(r"(.+?[.?!])[\"')\]]*\s+(?=[\"'(A-Z0-9])", re.DOTALL)
# What the tokenizer would read of a link or a role besides its words; other markup is punctuation, which it drops.
_MARKUP = (
    (re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])"), r"\1"),
    (re.compile(r"<?https?://\S+"), ""),
    (re.compile(r":[\w:-]+:`([^`<]*)[^`]*`_?"), r"\1"),
)


@dataclass(frozen=True, slots=True)
class TextTask:
    query: str
    passage: str
    source: str  # the file, relative to the folder


def read_texts(folder: Path, most: int = MOST) -> list[TextTask]:
    """At most that many tasks, chosen by their content's hash, so that they come from all files alike."""
    if not folder.is_dir():
        raise EvaluationError(
            f"There is no folder {folder}: give one that holds prose as {', '.join(sorted(ENDINGS))}."
        )
    found: dict[str, TextTask] = {}
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file()):
        source = path.relative_to(folder).as_posix()
        tasks = [TextTask(*pair, source) for pair in tasks_of(path.read_text(encoding="utf-8", errors="replace"))]
        for task in sorted(tasks, key=_rank)[:MOST_A_FILE]:
            found.setdefault(task.query.lower(), task)
    if len(found) < 2:
        raise EvaluationError(
            f"{folder} holds no prose to search: paragraphs of {PIECE_WORDS} words and more are needed."
        )
    return sorted(found.values(), key=_rank)[:most]


def tasks_of(text: str) -> Iterator[tuple[str, str]]:
    """(first sentence, the rest) of each piece of prose."""
    for piece in _pieces(text):
        sentence = _SENTENCE.match(piece)
        if sentence is None:
            continue
        query, rest = sentence[1].strip(), piece[sentence.end() :].strip()
        least, longest = SENTENCE_WORDS
        if least <= len(query.split()) <= longest and len(rest.split()) >= PIECE_WORDS // 2:
            yield query, rest


def _pieces(text: str) -> Iterator[str]:
    """Paragraphs of one section together until they are long enough."""
    gathered: list[str] = []
    for paragraph in _paragraphs(text):
        if paragraph:
            gathered += paragraph.split()
        if gathered and (not paragraph or len(gathered) >= PIECE_WORDS):
            if len(gathered) >= PIECE_WORDS:
                yield " ".join(gathered)
            gathered = []
    if len(gathered) >= PIECE_WORDS:
        yield " ".join(gathered)


def _paragraphs(text: str) -> Iterator[str]:
    """Prose paragraphs without markup; an empty one where a section ends."""
    block: list[str] = []
    fenced = False
    for line in [*text.splitlines(), ""]:
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif fenced:
            continue
        elif _HEADING.match(line) or (len(block) == 1 and _UNDERLINE.match(line)):
            block = []
            yield ""
        elif line.strip():
            block.append(line)
        elif block:
            if _is_prose(block):
                yield _plain(" ".join(block))
            block = []


def _is_prose(lines: list[str]) -> bool:
    if any(_NO_PROSE.match(line) for line in lines):
        return False
    text = " ".join(lines)
    return sum(char.isalnum() or char == " " for char in text) >= PROSE_SHARE * len(text)


def _plain(text: str) -> str:
    for pattern, kept in _MARKUP:
        text = pattern.sub(kept, text)
    return text


def _rank(task: TextTask) -> bytes:
    return hashlib.blake2b(f"{task.query}\n{task.passage}".encode(), digest_size=8).digest()
