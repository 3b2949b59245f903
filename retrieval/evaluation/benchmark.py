"""Score rankings and encoders on a code-search benchmark, all over the same chunks.

    c2llm evaluate bench REPOS BENCH --encoder embedded --encoder minilm

BENCH holds `repos.json` (name, language, root) and `annotations/NAME.json`; the code of a repository lies in
REPOS/NAME/ROOT. A repository's score is the mean over its queries, the headline the mean over repositories.
"""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from retrieval.encoders import load
from retrieval.encoders.protocol import Encoder
from retrieval.engine import Workspace
from retrieval.evaluation.metrics import TOP, FileSpan, ndcg, targets_of
from retrieval.types import Hit, SearchRequest


@dataclass(frozen=True, slots=True)
class Project:
    """One repository of the benchmark with its annotated queries."""

    name: str
    language: str
    root: Path
    queries: tuple[dict[str, Any], ...]


@dataclass(slots=True)
class Scores:
    """NDCG@10 of one system: by repository, and by category and repository."""

    by_project: dict[str, float] = field(default_factory=dict)
    by_category: dict[str, dict[str, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )

    @property
    def overall(self) -> float:
        return statistics.mean(self.by_project.values())

    def category(self, name: str) -> float:
        return statistics.mean(map(statistics.mean, self.by_category[name].values()))


def projects(repos: Path, bench: Path, only: Sequence[str] = ()) -> Iterator[Project]:
    """The repositories of a benchmark folder that are wanted."""
    for repo in json.loads((bench / "repos.json").read_text(encoding="utf-8")):
        if only and repo["name"] not in only:
            continue
        queries = json.loads((bench / "annotations" / f"{repo['name']}.json").read_text(encoding="utf-8"))
        yield Project(repo["name"], repo["language"], repos / repo["name"] / repo["root"], tuple(queries))


def evaluate(
    found: Sequence[Project], encoders: Sequence[str], rankings: Sequence[str], cache_dir: Path
) -> dict[str, Scores]:
    """Scores by "ENCODER RANKING", each also with one result a file ("..., one a file")."""
    scores: dict[str, Scores] = {}
    for name in encoders:
        scores |= evaluate_encoder(found, name, load(name), rankings, cache_dir)
    return scores


def evaluate_encoder(
    found: Sequence[Project], name: str, encoder: Encoder, rankings: Sequence[str], cache_dir: Path
) -> dict[str, Scores]:
    """The same for one that is loaded already."""
    scores: dict[str, Scores] = defaultdict(Scores)
    for project in found:
        _score(project, encoder, name, rankings, cache_dir, scores)
    return dict(scores)


def _score(
    project: Project,
    encoder: Encoder,
    encoder_name: str,
    rankings: Sequence[str],
    cache_dir: Path,
    scores: dict[str, Scores],
) -> None:
    with Workspace.open(project.root, encoder=encoder, cache_dir=cache_dir) as workspace:
        workspace.refresh()
        for ranking in rankings:
            gains: dict[str, list[float]] = defaultdict(list)
            for annotation in project.queries:
                answer = workspace.search(SearchRequest(annotation["query"], limit=TOP * 3, ranking=ranking))
                targets = targets_of(annotation)
                for system, places in _variants(f"{encoder_name} {ranking}", answer.hits):
                    gain = ndcg(places, targets)
                    gains[system].append(gain)
                    scores[system].by_category[annotation["category"]][project.name].append(gain)
            for system, values in gains.items():
                scores[system].by_project[project.name] = statistics.mean(values)


def _variants(system: str, hits: Sequence[Hit]) -> Iterator[tuple[str, list[FileSpan]]]:
    places = [FileSpan(hit.chunk.path, hit.start_line, hit.end_line) for hit in hits]
    yield system, places
    firsts = {place.path: place for place in reversed(places)}
    yield f"{system}, one a file", [place for place in places if firsts[place.path] is place]
