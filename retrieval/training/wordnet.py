"""WordNet as the Debian package wordnet-base carries it; its files are described in wndb(5WN)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from retrieval.training.archives import first_member

PARTS_OF_SPEECH = ("noun", "verb", "adj", "adv")
_MARKER = re.compile(r"\((?:a|p|ip)\)$")  # of adjectives: where they may stand


def synsets(package: Path, part: str) -> Iterator[tuple[str, list[str], str]]:
    """Offset, words and gloss (definitions, and examples in quotes) of each set of synonyms. Raises ArchiveError."""
    for line in _lines(package, f"data.{part}"):
        data, _, gloss = line.partition("|")
        fields = data.split()  # offset, file, type, number of words in hexadecimal, word and sense in turn, …
        words = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
        yield fields[0], [_MARKER.sub("", word).replace("_", " ") for word in words], gloss


def senses(package: Path, part: str) -> Iterator[tuple[str, list[str]]]:
    """Each word in lower case and the offsets of its synsets, the most frequent sense first. Raises ArchiveError."""
    for line in _lines(package, f"index.{part}"):
        fields = line.split()  # word, part of speech, number of synsets, …, their offsets
        yield fields[0].replace("_", " "), fields[-int(fields[2]) :]


def _lines(package: Path, name: str) -> Iterator[str]:
    for line in first_member(package, re.compile(rf"wordnet/{re.escape(name)}$")).splitlines():
        if not line.startswith("  "):  # the licence at the top
            yield line
