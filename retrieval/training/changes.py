"""What people wrote about a change -> the functions that it changed, as they were before: pairs out of a git history.

A commit's message asks for code in the words of whoever wants something mended or added, which doc comments never do. Each pair
is a `Pair` as mining makes it: the cleaned message in place of the doc comment. Nothing is checked out.
"""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from retrieval.processes.git import Blobs, start_log
from retrieval.training.archives import MAX_FILE_BYTES
from retrieval.training.decontamination import ExcludedCode, package_is_excluded, path_is_excluded
from retrieval.training.extraction import MAX_BODY_CHARS, MIN_BODY_CHARS, Function, Pair, functions, language_of
from retrieval.training.licences import of_text
from retrieval.training.mining import SKIPPED_PARTS, is_handwritten, project_path
from retrieval.training.pair_sources import is_routine, is_test_path, words_of
from retrieval.training.tasks import DataError

MAX_COMMITS = 12_000  # of a repository, newest first
MAX_PAIRS = 800  # of a repository, and
MAX_SAME_FUNCTION = 3  # of one function, as it is named
MAX_FILES = 4  # of a commit: one that changed more says little about each
MAX_FUNCTIONS = 4
MIN_WORDS = 4
MAX_MESSAGE_CHARS = 320
_MAX_LINES = 4_000  # of git's output for one commit

_COMMIT = "\x1e"  # before each commit in git's output
_PREFIX = re.compile(r"^\s*(?:\[[^\]]*\]\s*|[\w./,-]+(?:\([^)]*\))?!?:\s+)+")  # "fix(parser): ", "[core] "
_REFERENCE = re.compile(r"\s*\(?(?:[\w./-]*#|GH-)\d+\)?|https?://\S+")
_TRAILER = re.compile(
    r"^(?:[A-Z][a-z]+(?:-[a-z]+)+|Fixes|Closes|Resolves|Refs?|See|PR|Issue|Bug|cc)\s*:?\s", re.IGNORECASE
)
_RAW = re.compile(r"^:\d+ \d+ ([0-9a-f]{40}) [0-9a-f]{40} M\t(.+)$")
_TEST = re.compile(r"(?:.*\.)?_?tests?(?:[._A-Z]|$)|.*\.(?:it|describe)$", re.ASCII)
_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? ")
_LICENCE_FILES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "LICENSE.rst", "LICENSE-MIT", "LICENCE", "License.txt", "license.txt",
                  "COPYING", "COPYRIGHT", "UNLICENSE", "MIT-LICENSE", "license")  # fmt: skip

logger = logging.getLogger(__name__)


def mine_changes(repositories: Sequence[Path], out: Path, known: ExcludedCode) -> None:
    """Writes OUT/NAME.jsonl, rows as mining writes them, for every repository that has none yet and a permissive licence."""
    out.mkdir(parents=True, exist_ok=True)
    for repository in repositories:
        package = repository_name(repository)
        target = out / f"{package}.jsonl"
        if target.exists() or package_is_excluded(package):
            continue
        licence = licence_of_repository(repository)
        if not licence:
            logger.warning("%s has no licence that is known to be permissive: it is left out", package)
            continue
        part, count = target.with_suffix(".part"), 0
        with part.open("w", encoding="utf-8") as handle:
            for pair in change_pairs(repository):
                if not known.is_copy(pair.body):
                    handle.write(json.dumps({"package": package, **asdict(pair)}) + "\n")
                    count += 1
        part.replace(target)
        logger.info("%s (%s): %d pairs", package, licence, count)


def find_repositories(folder: Path) -> list[Path]:
    """Every folder below that git keeps a repository in, in order; a bare one is a folder that holds HEAD and objects."""
    heads = (head.parent for head in folder.rglob("HEAD") if head.is_file())
    return sorted(parent for parent in heads if (parent / "objects").is_dir() and (parent / "refs").is_dir())


def repository_name(repository: Path) -> str:
    """The last part of its path that says something: not `.git`, nor `repo`."""
    return next(part for part in reversed(repository.absolute().parts) if part not in (".git", "repo")).lower()


def licence_of_repository(repository: Path) -> str:
    """By the text of its licence file; "" where there is none or it is not sure to be permissive."""
    with Blobs(repository) as blobs:
        texts = (blobs.read(f"HEAD:{name}") for name in _LICENCE_FILES)
        return next(filter(None, (of_text((text or b"").decode("utf-8", "replace")) for text in texts)), "")


@dataclass(slots=True)
class Change:
    """A commit: its message, the blobs of its files before it, and the lines of them that it took away or added to."""

    message: str
    blobs: dict[str, str] = field(default_factory=dict)
    lines: dict[str, list[tuple[int, int]]] = field(default_factory=dict)


def change_pairs(repository: Path) -> Iterator[Pair]:
    """The pairs of a repository, newest first. Raises DataError where there is no git or no history."""
    shape = (
        "--no-merges",
        f"--max-count={MAX_COMMITS}",
        "--no-renames",
        "--diff-filter=M",
        "--raw",
        "--no-abbrev",
        "-p",
        "-U0",
    )
    found, same = 0, Counter[str]()
    try:
        with start_log(repository, *shape, f"--format={_COMMIT}%s%n%b%x00") as log, Blobs(repository) as blobs:
            for change in filter(None, map(_change, _commits(log.stdout))):
                for function in _functions_of(change, blobs):
                    key = f"{function.path}:{function.qualified}"
                    same[key] += 1
                    if same[key] <= MAX_SAME_FUNCTION:
                        yield _pair(change, function)
                        found += 1
                if found >= MAX_PAIRS:
                    log.terminate()
                    return
    except OSError as error:
        raise DataError(f"git cannot be started ({error}): it is needed to read commits.") from error
    if log.returncode:
        raise DataError(f"{repository} has no commits to read.")


def _commits(output: IO[str] | None) -> Iterator[list[str]]:
    lines: list[str] = []
    for line in output or ():
        if line.startswith(_COMMIT):
            if lines:
                yield lines
            lines = [line[1:]]
        elif 0 < len(lines) < _MAX_LINES:
            lines.append(line)
    if lines:
        yield lines


def _change(commit: Sequence[str]) -> Change | None:
    message, _, patch = "".join(commit).partition("\0")
    subject, _, body = message.partition("\n")
    change = Change(clean_message(subject, body))
    if is_routine(subject) or len(words_of(change.message)) < MIN_WORDS:
        return None
    path = ""
    for line in patch.split("\n"):
        if raw := _RAW.match(line):
            change.blobs[raw[2]] = raw[1]
        elif line.startswith("--- "):
            path = line[6:].rstrip("\t") if line.startswith("--- a/") else ""
        elif path and (hunk := _HUNK.match(line)):
            first, count = int(hunk[1]), int(hunk[2] or 1)
            change.lines.setdefault(path, []).append((first, first + max(count, 1) - 1))
    if len(change.blobs) > MAX_FILES:
        return None
    change.lines = {path: lines for path, lines in change.lines.items() if path in change.blobs and _is_source(path)}
    return change if change.lines else None


def clean_message(subject: str, body: str) -> str:
    """The subject without prefix and references, and the body's first paragraph of prose."""
    paragraph: list[str] = []
    for line in body.strip().splitlines():
        if not line.strip() or _TRAILER.match(line):
            break
        paragraph.append(line.strip(" *-"))
    text = f"{_PREFIX.sub('', subject).strip()}\n{' '.join(paragraph)}".strip()
    return _REFERENCE.sub("", text)[:MAX_MESSAGE_CHARS].strip()


def _is_source(path: str) -> bool:
    parts = path.lower().split("/")
    known = bool(language_of(path)) and not is_test_path(path)
    return known and not path_is_excluded(path) and not SKIPPED_PARTS.intersection(parts)


def _functions_of(change: Change, blobs: Blobs) -> list[Function]:
    """The innermost functions around the changed lines; none where they are too many."""
    touched: list[Function] = []
    for path, lines in change.lines.items():
        content = blobs.read(change.blobs[path])
        if content is None or len(content) > MAX_FILE_BYTES or not is_handwritten(content):
            continue
        try:
            all_functions = [one for one in functions(path, content) if _is_asked_for(one)]
        except (ValueError, RecursionError):
            continue
        for first, last in lines:
            around = [one for one in all_functions if one.lines[0] <= last and first <= one.lines[1]]
            inner = [one for one in around if not any(_is_inside(other, one) for other in around)]
            touched += [one for one in inner if one not in touched]
    return touched if len(touched) <= MAX_FUNCTIONS else []


def _is_asked_for(function: Function) -> bool:
    return len(function.code) >= MIN_BODY_CHARS and not _TEST.match(function.qualified)


def _is_inside(inner: Function, outer: Function) -> bool:
    return inner.lines != outer.lines and outer.lines[0] <= inner.lines[0] and inner.lines[1] <= outer.lines[1]


def _pair(change: Change, function: Function) -> Pair:
    language = language_of(function.path)
    shown = "typescript" if language == "tsx" else language
    return Pair(shown, project_path(function.path), function.qualified, change.message, function.code[:MAX_BODY_CHARS])
