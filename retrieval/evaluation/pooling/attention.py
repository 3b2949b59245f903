"""Where a pooling looks: how even its weights are, what the last token gets, and what kinds of tokens get the weight.

Signs of failure: weights near uniform make it mean pooling, all weight on the last token makes it EOS pooling.
The instruction's tokens are left out; their weight is shared out among the text's own. A weight's lift is what a token gets in
parts of an equal share: 1 is what mean pooling gives.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.chunking import language_of, passage
from retrieval.chunking.grammars import GRAMMARS
from retrieval.encoders.protocol import AttendingEncoder
from retrieval.evaluation.benchmark import Project
from retrieval.evaluation.pooling.run_encoder import RunEncoder
from retrieval.evaluation.pooling.token_kinds import KINDS, marked_chunks
from retrieval.model.pooling import PmaPooling
from retrieval.training.divergence import MIN_TOKENS

SAMPLED = 40  # chunks of a project
FILES = 40  # of a project that they come from
LENGTHS = ((MIN_TOKENS, 32), (32, 64), (64, 120), (120, 1 << 30))  # tokens; the last ones fill the window
PARTS = 10  # of a text, for the weight by place


@dataclass(frozen=True, slots=True)
class Sample:
    """A passage, its language, and the kind of each of its characters (places in KINDS)."""

    text: str
    language: str
    marks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AttentionSample:
    """One passage as a pooling sees it: its language, and the weight and kind of each token, weights adding up to 1."""

    language: str
    weights: NDArray[np.float64]
    kinds: NDArray[np.int64]

    @property
    def pooling_entropy(self) -> float:
        """Entropy as a share of the greatest possible."""
        p = np.maximum(self.weights, 1e-12)
        return float(-(p * np.log(p)).sum() / np.log(len(p)))


def samples(projects: Sequence[Project], count: int = SAMPLED) -> list[Sample]:
    """The same chunks of each project, whenever asked: those whose hashes come first."""
    found: list[Sample] = []
    for project in projects:
        chunks: list[Sample] = []
        paths = {path.relative_to(project.root).as_posix(): path for path in project.root.rglob("*") if path.is_file()}
        for shown in sorted((shown for shown in paths if language_of(shown) in GRAMMARS), key=_hash)[:FILES]:
            text = paths[shown].read_text(encoding="utf-8", errors="replace")
            chunks += [Sample(passage(c), c.language, tuple(marks)) for c, marks in marked_chunks(shown, text)]
        found += sorted(chunks, key=lambda sample: _hash(sample.text))[:count]
    return found


def look(encoder: AttendingEncoder, chosen: Sequence[Sample]) -> list[AttentionSample]:
    """Texts of a few tokens are left out: there is nothing to choose from."""
    looked = []
    for sample, tokens in zip(chosen, encoder.attention([sample.text for sample in chosen]), strict=True):
        if len(tokens) >= MIN_TOKENS:
            kinds = np.array([sample.marks[start] for start, _, _ in tokens])
            looked.append(
                AttentionSample(sample.language, np.array([weight for *_, weight in tokens], dtype=np.float64), kinds)
            )
    return looked


def analyzed(looked: Sequence[AttentionSample]) -> dict[str, Any]:
    """All figures of one model."""
    return {
        "all": _figures(looked),
        "by length": {f"{low} to {high - 1}" if high < 1 << 30 else f"{low} and more": _figures(rows)
                      for (low, high), rows in _grouped(looked, _bucket, LENGTHS)},
        "by language": {language: _figures(rows) for language, rows in _grouped(looked, lambda row: row.language)},
        "by kind": _by_kind(looked),
        "by kind and language": {language: _by_kind(rows) for language, rows in _grouped(looked, lambda r: r.language)},
        "by place": _by_place(looked),
    }  # fmt: skip


def head_evenness(encoder: RunEncoder, chosen: Sequence[Sample]) -> list[float]:
    """The same share for each head alone, instruction included: heads that choose differently look even together."""
    pooling = encoder.model.mha_pma
    if not isinstance(pooling, PmaPooling):
        return []
    sums, count = np.zeros(pooling.mab.heads), 0

    def watch(_: object, inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        nonlocal sums, count
        lengths = inputs[2].sum(dim=1)
        rows = outputs[1][lengths >= MIN_TOKENS].double().clamp(min=1e-12)
        lengths = lengths[lengths >= MIN_TOKENS]
        entropy = -(rows * rows.log() * (rows > 1e-12)).sum(dim=2) / lengths.double().log()[:, None]
        sums, count = sums + entropy.sum(dim=0).numpy(), count + len(lengths)

    handle = pooling.mab.register_forward_hook(watch)
    try:
        encoder.encode_passages([sample.text for sample in chosen])
    finally:
        handle.remove()
    shares: list[float] = (sums / max(count, 1)).tolist()
    return shares


def _figures(looked: Sequence[AttentionSample]) -> dict[str, float]:
    def mean(of: Callable[[AttentionSample], float]) -> float:
        return float(np.mean([of(row) for row in looked])) if looked else float("nan")

    return {
        "passages": len(looked),
        "tokens": mean(lambda row: len(row.weights)),
        "entropy": mean(lambda row: row.pooling_entropy),
        "last": mean(lambda row: float(row.weights[-1])),
        "last, lift": mean(lambda row: float(row.weights[-1] * len(row.weights))),
        "heaviest, lift": mean(lambda row: float(row.weights.max() * len(row.weights))),
    }


def _by_kind(looked: Sequence[AttentionSample]) -> dict[str, dict[str, float]]:
    """Shares of the weight and of the tokens, averaged over passages."""
    if not looked:
        return {}
    mass = np.mean([np.bincount(row.kinds, row.weights, len(KINDS)) for row in looked], axis=0)
    tokens = np.mean([np.bincount(row.kinds, minlength=len(KINDS)) / len(row.kinds) for row in looked], axis=0)
    return {
        kind: {"weight": float(m), "tokens": float(t), "lift": float(m / t)}
        for kind, m, t in zip(KINDS, mass, tokens, strict=True)
        if t > 0
    }


def _by_place(looked: Sequence[AttentionSample]) -> list[float]:
    """Mean lift from the first to the last tenth of a text."""
    rows = [row for row in looked if len(row.weights) >= 2 * PARTS]
    if not rows:
        return []
    parts = [[part.mean() * len(row.weights) for part in np.array_split(row.weights, PARTS)] for row in rows]
    return [float(value) for value in np.mean(parts, axis=0)]


def _bucket(row: AttentionSample) -> tuple[int, int]:
    return next(bounds for bounds in LENGTHS if bounds[0] <= len(row.weights) < bounds[1])


def _grouped(
    looked: Iterable[AttentionSample], key: Callable[[AttentionSample], Any], order: Sequence[Any] = ()
) -> list[tuple[Any, list[AttentionSample]]]:
    groups: dict[Any, list[AttentionSample]] = defaultdict(list)
    for row in looked:
        groups[key(row)].append(row)
    return [(name, groups[name]) for name in (order or sorted(groups)) if name in groups]


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
