"""The messages of a repository's commits and which files each changed. Nothing of the repository runs and nothing is fetched.

A repository's own configuration may name programs (a pager, a checker of signatures, a monitor of files, a transport that fetches
what a partial clone lacks): all of them are switched off. Without git, or without a repository, there are no messages.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from retrieval.training.pair_sources import MIN_MESSAGE_WORDS, is_routine, words_of

MOST_COMMITS = 3_000
MOST_FILES = 6  # of a commit: one that changed more says little about each
SECONDS = 30.0
_COMMIT = "\x1e"
_HARMLESS = ("log.showSignature=false", "core.fsmonitor=false", "core.hooksPath=", "core.pager=cat")


def commits_of(root: Path) -> list[tuple[str, tuple[str, ...]]]:
    """(first line of the message, paths relative to the root), newest first."""
    command = ["git", "-C", str(root), "--no-pager"]
    for setting in _HARMLESS:
        command += ["-c", setting]
    command += ["log", "--no-merges", f"--max-count={MOST_COMMITS}", "--no-color", "--no-ext-diff", "--no-textconv"]
    command += ["--no-renames", "--name-only", "--relative", "-z", f"--format={_COMMIT}%s%x00", "--", "."]
    quiet = {
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
    }
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **quiet},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return list(_read(done.stdout.decode("utf-8", "replace"))) if done.returncode == 0 else []


def _read(text: str) -> list[tuple[str, tuple[str, ...]]]:
    found = []
    for commit in text.split(_COMMIT)[1:]:
        message, *rest = commit.split("\0")
        paths = tuple(path for part in rest if (path := part.strip("\n")))
        said = re.sub(r"\s+", " ", message).strip()
        if 0 < len(paths) <= MOST_FILES and len(words_of(said)) >= MIN_MESSAGE_WORDS and not is_routine(said):
            found.append((said, paths))
    return found
