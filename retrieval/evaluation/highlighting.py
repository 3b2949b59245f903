"""How well the lines shown of a hit are chosen.

    python -m retrieval.evaluation.highlighting REPOS BENCH --only requests --only chi

A line is worth what the similarity of query and chunk loses without it, which `explain` measures exactly. A choice of three
lines scores what they are worth, in parts of what the best three are worth: 1 is the best choice, random ones get about 0.
The measure trusts the model; whether a person would choose alike has to be looked at.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.encoders import Encoder, load
from retrieval.engine import Workspace
from retrieval.evaluation.benchmark import Project, projects
from retrieval.evaluation.cache_folder import evaluation_cache
from retrieval.search import SALIENT, inverse_frequencies, parse
from retrieval.search.highlighting import term_share
from retrieval.types import Explanation, Hit, SearchRequest

HITS = 5
FEWEST = 5  # lines of a hit, below which all are shown anyway

Scores = NDArray[np.float64]


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m retrieval.evaluation.highlighting", description=__doc__)
    options.add_argument("repos", type=Path, help="folder with the repositories")
    options.add_argument("bench", type=Path, help="folder with repos.json and annotations/")
    options.add_argument("--encoder", default="embedded")
    options.add_argument("--only", action="append", default=[], help="a repository's name; repeatable")
    options.add_argument("--queries", type=int, default=14, help="of each repository")
    options.add_argument("--cache-dir", type=Path)
    args = options.parse_args()
    cache = args.cache_dir or evaluation_cache("search")
    encoder = load(args.encoder)
    results: dict[str, list[float]] = defaultdict(list)
    for project in projects(args.repos, args.bench, args.only):
        for name, score in measured(project, encoder, args.queries, cache):
            results[name].append(score)
    for name, scores in results.items():
        print(f"{name:24} {statistics.mean(scores):6.3f}  over {len(scores)} hits")


def measured(project: Project, encoder: Encoder, queries: int, cache_dir: Path) -> Iterator[tuple[str, float]]:
    """(name of a way to choose, its score) for each of the first hits of each query."""
    with Workspace.open(project.root, encoder=encoder, cache_dir=cache_dir) as workspace:
        workspace.refresh()
        for annotation in project.queries[:queries]:
            query = str(annotation["query"])
            idf = inverse_frequencies(workspace.snapshot()[0], parse(query).terms)
            for hit in workspace.search(SearchRequest(query, limit=HITS)).hits:
                found = workspace.explain(hit.chunk.path, hit.chunk.start_line, query)
                yield from _scores(found, hit, encoder, idf)


def _scores(found: Explanation, hit: Hit, encoder: Encoder, idf: dict[str, float]) -> Iterator[tuple[str, float]]:
    texts = found.chunk.text.split("\n")
    lines = [line for line in found.lines if line.effect is not None and line.line - hit.chunk.start_line < len(texts)]
    rows = [texts[line.line - hit.chunk.start_line] for line in lines]
    effects = np.array([line.effect for line in lines], dtype=np.float64)
    best = np.sort(effects)[::-1][:SALIENT].clip(0).sum()
    if len(lines) < FEWEST or best <= 0:
        return
    for name, scores in _choices(found, [line.attention for line in lines], rows, encoder, idf).items():
        chosen = np.argsort(-scores, kind="stable")[:SALIENT]
        yield name, float(effects[chosen].sum() / best)


def _choices(
    found: Explanation, attention: Sequence[float], rows: Sequence[str], encoder: Encoder, idf: dict[str, float]
) -> dict[str, Scores]:
    words = np.array([term_share(row, idf) for row in rows])
    looks = np.array(attention) / (max(attention) or 1.0)
    meaning = encoder.encode_passages([row.strip() for row in rows]) @ encoder.encode_queries([found.query])[0]
    chance = random.Random(found.query + found.chunk.path)
    return {
        "random": np.array([chance.random() for _ in rows]),
        "first lines": -np.arange(len(rows), dtype=np.float64),
        "attention": looks,
        "words": words,
        "words + attention / 10": words + looks / 10,
        "words + attention / 2": words + looks / 2,
        "meaning": meaning.astype(np.float64),
        "words + meaning": words + meaning,
    }


if __name__ == "__main__":
    main()
