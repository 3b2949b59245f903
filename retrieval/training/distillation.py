"""Relational distillation (Park et al. 2019, arXiv 1904.05068) from a teacher that was trained on much more English.

Doc comments teach the vocabulary of programmers, but not that a picture is an image and a parcel a package. Texts (docs, names,
and WordNet's words, definitions and examples whose words occur in code) and code passages are embedded by the teacher once. A
batch holds neighborhoods of them, half of each as queries, half as passages, and the model learns the teacher's distribution of
similarities.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from retrieval.model.config import C2LLMConfig
from retrieval.training.batches import TrainingBatch
from retrieval.training.dataset import Ragged, instructions, padded, ragged, save_arrays
from retrieval.training.extraction import Pair
from retrieval.training.mining import read_pairs
from retrieval.training.synonym_augmentation import MAX_DOC_WORDS, Teacher, Vectors, embed_texts, split_identifier
from retrieval.training.trainer import Source
from retrieval.training.wordnet import PARTS_OF_SPEECH, synsets

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# The teacher embeds 300 short texts a second on two cores, or 50 code passages.
DOCS, NAMES, WORDS, CODE = 40_000, 15_000, 60_000, 8_000
SEEDS, NEIGHBORS = 16, 32  # neighborhoods of a batch, and texts in each
CODE_CHARACTERS = 450
_QUOTED = re.compile(r'"([^"]+)"')

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DistillationData:
    """Tokenized texts and the teacher's unit vectors of them (n, d). Rows from `code` on are code: passages, never queries."""

    texts: Ragged
    vectors: Vectors
    code: int

    def save(self, target: Path) -> None:
        save_arrays(
            target,
            values=self.texts.values,
            starts=self.texts.starts,
            vectors=self.vectors.astype(np.float16),
            code=np.array(self.code),
        )

    @classmethod
    def load(cls, source: Path) -> DistillationData:
        with np.load(source) as arrays:
            texts = Ragged(arrays["values"], arrays["starts"])
            return cls(texts, arrays["vectors"].astype(np.float32), int(arrays["code"]))


def prepare_distillation(data: Path, words: Path, tokenizer: Tokenizer, teacher: Teacher) -> DistillationData:
    """Prose of the mined pairs in DATA/train.jsonl and of WordNet in the Debian package `words` (wordnet-base)."""
    pairs = list(read_pairs(data / "train.jsonl"))
    random = np.random.default_rng(0)
    sample = [pairs[i] for i in random.permutation(len(pairs))]
    english = list(wordnet(words, tokenizer))
    english = [english[i] for i in random.permutation(len(english))[:WORDS]]
    texts = list(dict.fromkeys([*_docs(sample), *_names(sample), *english]))
    code = [f"{pair.path}\n{pair.qualified}\n{pair.body}"[:CODE_CHARACTERS] for pair in sample[:CODE]]
    logger.info("the teacher embeds %d texts and %d code passages", len(texts), len(code))
    return DistillationData(
        ragged(tokenizer, [*texts, *code]), embed_texts([*texts, *code], teacher).astype(np.float32), len(texts)
    )


def wordnet(package: Path, tokenizer: Tokenizer) -> Iterator[str]:
    """Words, definition and examples of each synset that has a word which is made of whole tokens. Raises ArchiveError."""
    known = {token for token in tokenizer.get_vocab() if token.isalpha()}
    for part in PARTS_OF_SPEECH:
        for _, words, gloss in synsets(package, part):
            if any(set(word.split()) <= known for word in words):
                yield ", ".join(words)
                yield from filter(None, [_QUOTED.sub("", gloss).strip(" ;\n")])
                yield from _QUOTED.findall(gloss)


def _docs(pairs: Sequence[Pair]) -> Iterator[str]:
    for pair in pairs[:DOCS]:
        yield " ".join(pair.doc.split()[:MAX_DOC_WORDS])


def _names(pairs: Sequence[Pair]) -> Iterator[str]:
    for pair in pairs[DOCS : DOCS + NAMES]:
        yield split_identifier(pair.qualified) or pair.doc


class NeighborhoodBatches:
    """Batches of prose; they depend on the seed and the step alone."""

    def __init__(self, prose: DistillationData, tokenizer: Tokenizer, config: C2LLMConfig, *, seed: int) -> None:
        self._prose, self._config, self._seed = prose, config, seed
        self._query_prefix, self._passage_prefix = instructions(tokenizer, config)

    def batch(self, step: int) -> TrainingBatch:
        random = np.random.default_rng([self._seed, 2, step])
        queries, passages = self.rows(random)
        vectors = self._prose.vectors
        return TrainingBatch(
            *padded(self._tokens(queries, self._query_prefix, self._config.max_query_tokens)),
            *padded(self._tokens(passages, self._passage_prefix, self._config.max_passage_tokens)),
            teacher=vectors[queries] @ vectors[passages].T,
            task="prose",
        )

    def rows(self, random: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        vectors, code = self._prose.vectors, self._prose.code
        seeds = random.choice(code, min(SEEDS, code), replace=False)
        near = min(NEIGHBORS, len(vectors))
        scores = vectors[seeds] @ vectors.T
        rows = np.argpartition(-scores, near - 1, axis=1)[:, :near]
        queries, passages = [], []
        for own in rows:
            texts, others = random.permutation(own[own < code]), own[own >= code]
            half = max(1, near // 2)
            queries.append(texts[:half])
            passages.append(np.concatenate([texts[half:], others]))
        return np.concatenate(queries), np.concatenate(passages)

    def _tokens(self, rows: NDArray[np.int64], prefix: NDArray[np.uint16], limit: int) -> list[NDArray[Any]]:
        return [np.concatenate([prefix, self._prose.texts[int(row)]])[:limit] for row in rows]


class InterleavedSource:
    """Interleaves two sources of batches: a share of the steps comes from the secondary one."""

    def __init__(self, primary: Source, secondary: Source, share: float, *, seed: int) -> None:
        self._primary, self._secondary, self._share, self._seed = primary, secondary, share, seed

    def batch(self, step: int) -> TrainingBatch:
        use_secondary = np.random.default_rng([self._seed, 3, step]).random() < self._share
        return (self._secondary if use_secondary else self._primary).batch(step)
