"""Fits an affine map of query vectors to a repository: its passages keep their vectors, and nothing is embedded again.

Two things are put right. What all passages of a project share, words and idioms, tells none of them apart: a share of their mean is
taken off each query. And queries are moved to where their code is, by ridge regression from the vectors of comments and names to
those of their code, with a penalty on what differs from the identity. Both have closed forms: a fit takes moments and no torch.
Shares and penalties that were tried are in evaluation/LOG.md; one choice for all repositories was better than one fitted to each.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from retrieval.encoders.protocol import Vectors
from retrieval.encoders.query_map import QUERY_MAP_NAME, QueryMap
from retrieval.training.pair_sources import words_of

if TYPE_CHECKING:
    from retrieval.encoders import Encoder
    from retrieval.training.extraction import Pair

OFFSET = 0.5  # share of the passages' mean
RIDGE = 10.0  # penalty, times the mean variance of a query's dimension
UNDOCUMENTED_RATIO = 0.5  # functions without a comment for each one with; their names are the queries


def fit_query_map(encoder: Encoder, pairs: Sequence[Pair], passages: Sequence[str]) -> QueryMap:
    """The map for an encoder, from pairs of comment or name and code, and more passages of the repository. Raises EncoderError."""
    documented = [pair for pair in pairs if pair.doc]
    named = [pair for pair in pairs if not pair.doc][: int(UNDOCUMENTED_RATIO * len(documented))]
    queries = [pair.doc for pair in documented] + [" ".join(words_of(pair.qualified)) for pair in named]
    code = [f"{pair.path}\n{pair.qualified}\n{pair.body}" for pair in documented]
    code += [f"{pair.path}\n{pair.body}" for pair in named]  # the name is the query
    answers = encoder.encode_passages(code)
    mean = np.concatenate([answers, encoder.encode_passages(passages)]).mean(axis=0)
    return fit_vectors(encoder.encode_queries(queries), answers, mean)


def fit_vectors(queries: Vectors, answers: Vectors, mean: NDArray[np.float32]) -> QueryMap:
    """The map from queries to their answers, both of shape (n, dimension); `mean` is that of all passages."""
    dimension = mean.shape[0]
    if not len(queries):
        return QueryMap(np.eye(dimension, dtype=np.float32), (-OFFSET * mean).astype(np.float32))
    centre = queries.mean(axis=0)
    x, y = (queries - centre).astype(np.float64), answers - answers.mean(axis=0)
    variance = float((x * x).mean())
    penalty = RIDGE * max(variance, 1e-9) * np.eye(dimension)
    matrix = np.linalg.solve(x.T @ x / len(x) + penalty, x.T @ y / len(x) + penalty)
    offset = centre - centre @ matrix - OFFSET * mean
    return QueryMap(matrix.astype(np.float32), offset.astype(np.float32))


def save_beside(fitted: QueryMap, model: Path, out: Path) -> Path:
    """A model folder with the files of another one, and the map."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    for file in model.iterdir():
        if file.is_file() and file.name != QUERY_MAP_NAME:
            shutil.copyfile(file, out / file.name)
    fitted.save(out)
    return out
