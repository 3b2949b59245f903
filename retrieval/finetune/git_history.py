"""The messages of a repository's commits and which files each changed. Without git, or without a repository, there are none."""

from __future__ import annotations

from pathlib import Path

from retrieval.processes.git import read_log
from retrieval.training.pair_sources import MIN_MESSAGE_WORDS, is_routine, words_of

MAX_COMMITS = 3_000
MAX_FILES = 6  # of a commit: one that changed more says little about each
SECONDS = 30.0
_COMMIT = "\x1e"


def commits_of(root: Path) -> list[tuple[str, tuple[str, ...]]]:
    """(first line of the message, paths relative to the root), newest first."""
    shape = ("--no-merges", f"--max-count={MAX_COMMITS}", "--no-renames", "--name-only", "--relative", "-z")
    printed = read_log(root, *shape, f"--format={_COMMIT}%s%x00", "--", ".", seconds=SECONDS)
    return list(_read(printed.decode("utf-8", "replace"))) if printed else []


def _read(text: str) -> list[tuple[str, tuple[str, ...]]]:
    found = []
    for commit in text.split(_COMMIT)[1:]:
        message, *rest = commit.split("\0")
        paths = tuple(path for part in rest if (path := part.strip("\n")))
        said = " ".join(message.split())
        if 0 < len(paths) <= MAX_FILES and len(words_of(said)) >= MIN_MESSAGE_WORDS and not is_routine(said):
            found.append((said, paths))
    return found
