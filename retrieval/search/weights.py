"""Every number that ranking uses, with its reason. Values were chosen on the development benchmark (see
`retrieval/evaluation/LOG.md`); differences under 0.01 NDCG@10 there are noise and were not chased."""

from __future__ import annotations

from dataclasses import dataclass, replace

from retrieval.search.path_kinds import FileKind


@dataclass(frozen=True, slots=True)
class Weights:
    # --- candidates -------------------------------------------------------------------------------------------
    depth: int = 100  # candidates from each of vectors and words; 150 gain 0.003 and take half as long again
    fts: tuple[float, float, float] = (3.0, 2.0, 1.0)  # BM25 weight of a term in symbol, path, body

    # --- the two base scores, each scaled to 0..1 over the candidates ------------------------------------------
    dense: float = 1.0
    lexical: float = 0.5  # equal weights lower the result: 0.873 against 0.880 (NDCG@10, without zig)

    # --- names ------------------------------------------------------------------------------------------------
    definition: float = 1.5  # the chunk defines exactly a name of the query
    symbol: float = 0.6  # the query's words are those of the chunk's symbol
    stem: float = 0.6  # ... of the file's name: "option parser" and parser.py
    folder: float = 0.2  # ... of the folders
    # --- the file as a whole ----------------------------------------------------------------------------------
    file: float = 0.6  # other good chunks in the same file: a file about a thing beats a file that mentions it

    # --- kinds of files, as factors ----------------------------------------------------------------------------
    test: float = 0.5  # tests use what is looked for, they do not define it
    example: float = 0.6
    legacy: float = 0.6  # compat, deprecated, legacy: rarely the answer while something current matches
    declaration: float = 0.6  # .d.ts, .pyi: the signature without the code
    reexport: float = 0.7  # __init__.py, index.js: names passed on, seldom defined
    prose: float = 0.7  # Markdown and the like talk about code
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


DEFAULT = Weights()

_BARE = replace(
    DEFAULT,
    definition=0.0,
    symbol=0.0,
    stem=0.0,
    folder=0.0,
    file=0.0,
    test=1.0,
    example=1.0,
    legacy=1.0,
    declaration=1.0,
    reexport=1.0,
    prose=1.0,
    data=1.0,
    repeat=1.0,
)

# What `--ranking` offers: the product, and its parts alone for comparisons.
RANKINGS: dict[str, Weights] = {
    "full": DEFAULT,
    "fused": _BARE,
    "dense": replace(_BARE, lexical=0.0),
    "words": replace(_BARE, dense=0.0),
}
