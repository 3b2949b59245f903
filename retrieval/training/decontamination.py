"""Decontamination: keeps the projects of the benchmarks out of the training data, by name and by content.

Names alone miss vendored copies and renamed companions, so that a body which shares many word shingles with the code of an
excluded project is dropped as well.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path, PurePosixPath

EXCLUDED_FILE = Path(__file__).with_name("excluded.txt")
SHINGLE_WORDS = 8
KEEP_ONE_IN = 2  # of the known shingles: halves the memory, a body has dozens of them
MAX_SHARED = 0.25  # of a body's shingles that may occur in excluded code (licence lines and idioms do)

_WORD = re.compile(rb"[A-Za-z0-9]+")
_SEPARATORS = re.compile(r"[-_.]+")
_BETWEEN_PARTS = re.compile(r"[-_.@/]+")
_VERSION = re.compile(r"[-_@]v?\d[\d.]*$")


def normalized(name: str) -> str:
    return _SEPARATORS.sub("-", name.lower())


@cache
def excluded_names() -> frozenset[str]:
    lines = EXCLUDED_FILE.read_text(encoding="utf-8").splitlines()
    return frozenset(normalized(line.strip()) for line in lines if line.strip() and not line.startswith("#"))


def package_is_excluded(package: str) -> bool:
    """True for a project on the list and for its companions: 'flask-login', 'pytest_httpx', 'ruby-redis', '@reduxjs/toolkit'."""
    names = excluded_names()
    parts = _BETWEEN_PARTS.split(package.lower())
    return normalized(package) in names or any(part in names for part in parts)


@cache
def _component_is_excluded(component: str) -> bool:
    names = excluded_names()
    stem = PurePosixPath(component).stem
    versionless = _VERSION.sub("", component)
    return any(normalized(form) in names for form in (component, stem, versionless))


def path_is_excluded(path: str) -> bool:
    """True where a folder or file of this path bears an excluded project's name: vendored copies."""
    return any(_component_is_excluded(part) for part in path.split("/"))


def shingles(text: str) -> set[int]:
    """Checksums of the runs of eight words, case and punctuation left out."""
    words = [word.lower() for word in _WORD.findall(text.encode("utf-8", "replace"))]
    runs = (b" ".join(words[i : i + SHINGLE_WORDS]) for i in range(max(len(words) - SHINGLE_WORDS + 1, 1)))
    return {zlib.crc32(run) for run in runs}


class ExcludedCode:
    """Shingles of code that must not be in the training data."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._known: set[int] = set()
        for text in texts:
            self.add(text)

    def __len__(self) -> int:
        return len(self._known)

    def add(self, text: str) -> None:
        self._known.update(s for s in shingles(text) if s % KEEP_ONE_IN == 0)

    def is_copy(self, body: str) -> bool:
        """True where too many of the body's shingles are known."""
        own = [s for s in shingles(body) if s % KEEP_ONE_IN == 0]
        return len(own) >= 3 and sum(s in self._known for s in own) > MAX_SHARED * len(own)
