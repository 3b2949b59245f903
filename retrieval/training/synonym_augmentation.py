"""What English has for a thing besides the name that code gives it.

Docs teach how programmers call a thing; that a picture is an image and to erase is to delete they do not. Two helpers, for
the docs that are shown as queries: WordNet's synonyms, which stand in for some words of some queries; and a teacher that has
read much more English, which says how near two docs are, and so how near a query is to what the other docs are about: all
passages but its own are to be as near as the teacher says (relational distillation, Park et al. 2019, arXiv 1904.05068).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from retrieval.store.analyzer import PART
from retrieval.training.dataset import Ids, Ragged, save_arrays
from retrieval.training.extraction import Pair
from retrieval.training.mining import read_pairs
from retrieval.training.wordnet import PARTS_OF_SPEECH, senses, synsets

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]
Teacher = Callable[[Sequence[str]], Vectors]

DOCS = 200_000  # that the teacher reads: some 250 a second on two cores
SENSES = 2  # of a word, the most frequent ones
LONGEST_IN_WORDS = 24  # of a doc: its first sentence or so
_SHORTEST_IN_WORDS = 8  # below it the name is read too
_LEAST_LETTERS = 3  # of a word that has synonyms
_AT_ONCE = 4_096

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SynonymData:
    """`rows` (n, ascending) are pairs and `vectors` (n, d) the teacher's unit vectors of their docs; `synonyms` has the tokens
    that may stand for a token, at its number.
    """

    rows: Rows
    vectors: NDArray[np.float16]
    synonyms: Ragged

    def save(self, target: Path) -> None:
        save_arrays(
            target,
            rows=self.rows,
            vectors=self.vectors,
            values=self.synonyms.values,
            starts=self.synonyms.starts,
        )

    @classmethod
    def load(cls, source: Path) -> SynonymData:
        with np.load(source) as arrays:
            return cls(arrays["rows"], arrays["vectors"], Ragged(arrays["values"], arrays["starts"]))

    def similarities(self, rows: Rows) -> Vectors:
        """Of the docs of some pairs to each other (n, n); NaN where the teacher has not read both, and to itself."""
        found = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        known = np.flatnonzero(self.rows[found] == rows)
        vectors = self.vectors[found[known]].astype(np.float32)
        similar = np.full((len(rows), len(rows)), np.nan, dtype=np.float32)
        similar[np.ix_(known, known)] = vectors @ vectors.T
        np.fill_diagonal(similar, np.nan)
        return similar

    def reworded(self, ids: Ids, share: float, random: np.random.Generator) -> Ids:
        """A synonym in the place of that share of the tokens which have one."""
        reworded: Ids = ids.copy()
        for place in np.flatnonzero(random.random(len(ids)) < share):
            others = self.synonyms[int(ids[place])]
            if len(others):
                reworded[place] = others[int(random.integers(len(others)))]
        return reworded


def prepared(data: Path, words: Path, tokenizer: Tokenizer, teacher: Teacher, *, docs: int = DOCS) -> SynonymData:
    """For the pairs in DATA/train.jsonl; `words` is the Debian package wordnet-base."""
    synonyms = synonymous(words, tokenizer)
    pairs = list(read_pairs(data / "train.jsonl"))
    rows = np.sort(np.random.default_rng(0).permutation(len(pairs))[:docs])
    vectors = read([_text(pairs[row]) for row in rows], teacher)
    return SynonymData(rows, vectors, synonyms)


def _text(pair: Pair) -> str:
    words = pair.doc.split()
    doc = " ".join(words[:LONGEST_IN_WORDS])
    return f"{spelt(pair.qualified)}: {doc}" if len(words) < _SHORTEST_IN_WORDS else doc


def spelt(name: str) -> str:
    """`getUtcNow` as `get Utc Now`."""
    return " ".join(PART.findall(name))


def read(texts: Sequence[str], teacher: Teacher) -> NDArray[np.float16]:
    """The teacher's vectors. Texts of like length together, which saves it padding."""
    order = np.argsort([len(text) for text in texts], kind="stable")
    parts = []
    for start in range(0, len(order), _AT_ONCE):
        parts.append(teacher([texts[i] for i in order[start : start + _AT_ONCE]]).astype(np.float16))
        logger.info("the teacher has read %d of %d texts", min(start + _AT_ONCE, len(order)), len(order))
    vectors = np.concatenate(parts)
    vectors[order] = vectors.copy()
    return vectors


class TeacherCache:
    """A teacher whose answers lie in a folder: who is stopped while it reads goes on with what it has not read yet."""

    def __init__(self, teacher: Teacher, folder: Path) -> None:
        self._teacher, self._folder = teacher, folder
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, texts: Sequence[str]) -> Vectors:
        kept = self._folder / f"{hashlib.sha256(chr(0).join(texts).encode()).hexdigest()}.npz"
        if not kept.exists():
            save_arrays(kept, vectors=self._teacher(texts))
        with np.load(kept) as arrays:
            vectors: Vectors = arrays["vectors"]
            return vectors


def synonymous(package: Path, tokenizer: Tokenizer) -> Ragged:
    """For each token that is a word, the tokens that are words of a synset with it. Raises ArchiveError."""
    known = {token: number for token, number in tokenizer.get_vocab().items() if _is_word(token)}
    others: dict[str, set[str]] = {}
    for part in PARTS_OF_SPEECH:
        words = {offset: [word.lower() for word in own] for offset, own, _ in synsets(package, part)}
        for word, offsets in senses(package, part):
            same = {other for offset in offsets[:SENSES] for other in words.get(offset, ())}
            others.setdefault(word, set()).update(same - {word})
    return _by_token(others, known, tokenizer.get_vocab_size())


def _is_word(token: str) -> bool:
    return token.isalpha() and len(token) >= _LEAST_LETTERS


def _by_token(others: Mapping[str, set[str]], known: Mapping[str, int], count: int) -> Ragged:
    """A word that is in no synset and ends in s is taken as a plural, or as a verb's third person."""
    rows: list[list[int]] = [[] for _ in range(count)]
    for token, number in known.items():
        ending = "s" if token not in others and token.endswith("s") else ""
        words = others.get(token.removesuffix(ending), set())
        rows[number] = sorted(known[word + ending] for word in words if word + ending in known)
    starts = np.cumsum([0, *(len(row) for row in rows)]).astype(np.int64)
    return Ragged(np.array([number for row in rows for number in row], dtype=np.uint16), starts)
