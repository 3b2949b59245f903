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

DOCS = 200_000  # embedded by the teacher: some 250 a second on two cores
SENSES = 2  # of a word, the most frequent ones
MAX_DOC_WORDS = 24  # of a doc: its first sentence or so
MIN_DOC_WORDS = 8  # below it the name is read too
MIN_LETTERS = 3  # of a word that has synonyms
TEACHER_BATCH = 4_096

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
        """Cosines between the docs of some pairs (n, n); NaN on the diagonal and where the teacher has no vector."""
        found = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        known = np.flatnonzero(self.rows[found] == rows)
        vectors = self.vectors[found[known]].astype(np.float32)
        similar = np.full((len(rows), len(rows)), np.nan, dtype=np.float32)
        similar[np.ix_(known, known)] = vectors @ vectors.T
        np.fill_diagonal(similar, np.nan)
        return similar

    def replace_with_synonyms(self, ids: Ids, share: float, random: np.random.Generator) -> Ids:
        """Replace a share of the tokens that have synonyms by one of them."""
        reworded: Ids = ids.copy()
        for place in np.flatnonzero(random.random(len(ids)) < share):
            others = self.synonyms[int(ids[place])]
            if len(others):
                reworded[place] = others[int(random.integers(len(others)))]
        return reworded


def prepare_synonyms(
    data: Path, words: Path, tokenizer: Tokenizer, teacher: Teacher, *, docs: int = DOCS
) -> SynonymData:
    """For the pairs in DATA/train.jsonl; `words` is the Debian package wordnet-base."""
    synonyms = synonym_table(words, tokenizer)
    pairs = list(read_pairs(data / "train.jsonl"))
    rows = np.sort(np.random.default_rng(0).permutation(len(pairs))[:docs])
    vectors = embed_texts([_text(pairs[row]) for row in rows], teacher)
    return SynonymData(rows, vectors, synonyms)


def _text(pair: Pair) -> str:
    words = pair.doc.split()
    doc = " ".join(words[:MAX_DOC_WORDS])
    return f"{split_identifier(pair.qualified)}: {doc}" if len(words) < MIN_DOC_WORDS else doc


def split_identifier(name: str) -> str:
    """`getUtcNow` as `get Utc Now`."""
    return " ".join(PART.findall(name))


def embed_texts(texts: Sequence[str], teacher: Teacher) -> NDArray[np.float16]:
    """The teacher's vectors. Texts are sorted by length, which saves padding."""
    order = np.argsort([len(text) for text in texts], kind="stable")
    parts = []
    for start in range(0, len(order), TEACHER_BATCH):
        parts.append(teacher([texts[i] for i in order[start : start + TEACHER_BATCH]]).astype(np.float16))
        logger.info("the teacher has embedded %d of %d texts", min(start + TEACHER_BATCH, len(order)), len(order))
    vectors = np.concatenate(parts)
    vectors[order] = vectors.copy()
    return vectors


class TeacherCache:
    """Caches a teacher's vectors in a folder, so that an interrupted run continues with the rest."""

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


def synonym_table(package: Path, tokenizer: Tokenizer) -> Ragged:
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
    return token.isalpha() and len(token) >= MIN_LETTERS


def _by_token(others: Mapping[str, set[str]], known: Mapping[str, int], count: int) -> Ragged:
    """A word that is in no synset and ends in s is taken as a plural, or as a verb's third person."""
    rows: list[list[int]] = [[] for _ in range(count)]
    for token, number in known.items():
        ending = "s" if token not in others and token.endswith("s") else ""
        words = others.get(token.removesuffix(ending), set())
        rows[number] = sorted(known[word + ending] for word in words if word + ending in known)
    starts = np.cumsum([0, *(len(row) for row in rows)]).astype(np.int64)
    return Ragged(np.array([number for row in rows for number in row], dtype=np.uint16), starts)
