"""Every number that ranking uses, with its reason.

Values were chosen on both development benchmarks at once, the file-level and the function-level one (see
`retrieval/evaluation/LOG.md`); differences under 0.01 there are noise and were not chased.

A query of a few words asks where something is: the right file is most of the answer. A long one says much about one place, so
its words count more; and whoever describes a change or a fault looks for lines, which may be several places of one file. So
there are three sets of weights; queries between two of them get weights between the two.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from retrieval.search.path_kinds import FileKind
from retrieval.search.query import Query

# Terms of a query up to which it is short, and from which on it is long. Of the file-level benchmark's queries
# half have 5 terms or fewer, of the function-level benchmark's half have 8 or more.
SHORT_TERMS, LONG_TERMS = 4, 7
# ... and from which on it describes something, whatever its words are: a bug report, an error message, another language.
DESCRIPTION_TERMS = 12
# The embedded model was trained on English: this much of what likeness of meaning counts goes where a query has no ASCII letter.
UNKNOWN_LANGUAGE = 0.8


@dataclass(frozen=True, slots=True)
class Weights:
    # --- candidates -------------------------------------------------------------------------------------------
    depth: int = 100  # candidates from each of vectors and words; 150 gain 0.003 and take half as long again
    fts: tuple[float, float, float] = (3.0, 2.0, 1.0)  # BM25 weight of a term in symbol, path, body

    # --- the base scores, each 0..1 ------------------------------------------------------------------------------
    dense: float = 0.6
    lexical: float = 0.55
    coverage: float = 0.825  # the share of the query that the chunk holds: BM25 alone likes one rare word said often

    # --- names ------------------------------------------------------------------------------------------------
    definition: float = 1.5  # the chunk defines exactly a name of the query
    symbol: float = 0.5  # the query's words are those of the chunk's symbol, or of another one that it defines
    stem: float = 0.9  # ... of the file's name: "option parser" and parser.py
    folder: float = 0.2  # ... of the folders

    # --- what is written just so -----------------------------------------------------------------------------------
    exact: float = 2.0  # a name of the query, or all of a short one, stands in the chunk as it is written
    exact_name: float = 5.0  # ... where the query is nothing but a name: more than all else together
    definition_name: float = 3.0  # ... that the chunk defines: more than a file of uses gets from its other chunks

    # --- what stands around the chunk ----------------------------------------------------------------------------
    file: float = 1.0  # other good chunks in the same file: a file about a thing beats a file that mentions it
    file_meaning: float = 0.4  # the mean of the file's five chunks nearest in meaning
    focus: float = 0.4  # the share of the file that is among the candidates: small files about a thing beat big ones
    neighbor: float = 0.2  # the chunk right before or behind is near in meaning: both are parts of one thing

    # --- kinds of chunks, added ----------------------------------------------------------------------------------
    block: float = -0.15  # imports, constants, statements between definitions
    class_header: float = -0.1  # a class without its members says what it is, seldom how it does it

    # --- kinds of files, as factors ----------------------------------------------------------------------------
    test: float = 0.3  # tests use what is looked for, they do not define it
    example: float = 0.6
    legacy: float = 0.6  # compat, deprecated, legacy: rarely the answer while something current matches
    declaration: float = 0.6  # .d.ts, .pyi: the signature without the code
    reexport: float = 0.7  # __init__.py, index.js: names passed on, seldom defined
    prose: float = 0.4  # Markdown and the like talk about code
    data: float = 0.6  # JSON, YAML, lock files, style sheets

    # --- the list as a whole ------------------------------------------------------------------------------------
    repeat: float = 0.4  # factor for each further hit of a file that the list already shows

    def of_kind(self, kind: FileKind) -> float:
        """The factor of a kind of file."""
        factors: dict[FileKind, float] = {
            "test": self.test,
            "example": self.example,
            "legacy": self.legacy,
            "declaration": self.declaration,
            "reexport": self.reexport,
            "prose": self.prose,
            "data": self.data,
        }
        return factors.get(kind, 1.0)

    def of_chunk_kind(self, kind: str) -> float:
        """What a kind of chunk adds."""
        return {"block": self.block, "class": self.class_header}.get(kind, 0.0)

    def toward(self, other: Weights, share: float) -> Weights:
        """These weights for share 0, the other ones for share 1, in between what lies between."""
        changes = {
            field.name: (1 - share) * own + share * getattr(other, field.name)
            for field in fields(self)
            if isinstance(own := getattr(self, field.name), float)
        }
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Ranking:
    """The weights for short queries, for long ones and for descriptions of changes and faults."""

    short: Weights
    long: Weights
    description: Weights

    def weights(self, query: Query) -> Weights:
        """The weights for a query, by what it asks for and how many terms it has."""
        weights = self.description
        if not query.is_change:
            weights = self.short.toward(self.long, _share(query.length, SHORT_TERMS, LONG_TERMS))
            weights = weights.toward(self.description, _share(query.length, LONG_TERMS + 1, DESCRIPTION_TERMS))
        return (
            replace(weights, dense=weights.dense * (1 - UNKNOWN_LANGUAGE * query.foreign))
            if weights.lexical
            else weights
        )


def _share(length: int, first: int, last: int) -> float:
    """How far a length lies between two others: 0 up to the first, 1 from the last on."""
    return min(1.0, max(0.0, (length - first) / (last - first)))


DEFAULT = Weights()
# Words weigh as much as BM25 alone needs to find the changed function.
LONG = replace(DEFAULT, lexical=1.76, coverage=1.375)
# ... and a file's further hits are held back little.
DESCRIPTION = replace(LONG, repeat=0.9)

_BARE = replace(
    DEFAULT,
    dense=1.0,
    lexical=0.5,  # equal weights lower the file-level result
    coverage=0.0,
    definition=0.0,
    symbol=0.0,
    stem=0.0,
    folder=0.0,
    file=0.0,
    file_meaning=0.0,
    focus=0.0,
    neighbor=0.0,
    exact=0.0,
    exact_name=0.0,
    definition_name=0.0,
    block=0.0,
    class_header=0.0,
    test=1.0,
    example=1.0,
    legacy=1.0,
    declaration=1.0,
    reexport=1.0,
    prose=1.0,
    data=1.0,
    repeat=1.0,
)


def _same(weights: Weights) -> Ranking:
    return Ranking(weights, weights, weights)


# What `--ranking` offers: the product, and its parts alone for comparisons.
RANKINGS: dict[str, Ranking] = {
    "full": Ranking(DEFAULT, LONG, DESCRIPTION),
    "fused": _same(_BARE),
    "dense": _same(replace(_BARE, lexical=0.0)),
    "words": _same(replace(_BARE, dense=0.0)),
}

# What can be left out of a ranking, to see what it is worth: `full-symbol` is `full` without the signal `symbol`.
SIGNALS = tuple(field.name for field in fields(Weights) if isinstance(getattr(DEFAULT, field.name), float))
_NEUTRAL = {name: 0.0 if name in ("dense", "lexical") else float(getattr(_BARE, name)) for name in SIGNALS}


def without_signal(ranking: str, signal: str) -> str:
    """The name of a ranking without one of its signals."""
    return f"{ranking}-{signal}"


def ranking_named(name: str) -> Ranking | None:
    """A ranking, or one without some of its signals; None where there is none of that name."""
    base, *signals = name.split("-")
    ranking = RANKINGS.get(base)
    if ranking is None or not all(signal in _NEUTRAL for signal in signals):
        return None
    neutral: dict[str, Any] = {signal: _NEUTRAL[signal] for signal in signals}
    if not neutral:
        return ranking
    sets = (ranking.short, ranking.long, ranking.description)
    return Ranking(*(replace(weights, **neutral) for weights in sets))
