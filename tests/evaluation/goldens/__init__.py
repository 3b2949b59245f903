"""Fixed questions about a small repository, with what search answers today in goldens.txt.

A change of quality shows as a diff of that file. Where it is meant, write the file anew and look at the diff:

    python -m tests.evaluation.goldens
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from retrieval.encoders import load
from retrieval.engine import Workspace
from retrieval.evaluation.benchmarks import Target
from retrieval.evaluation.question_metrics import Result, question_metrics
from retrieval.rag import estimate_tokens
from retrieval.types import SearchRequest

HERE = Path(__file__).parent
GOLDENS = HERE / "goldens.txt"
ENCODERS = ("overlap", "embedded")
METRICS = ("ndcg@10", "recall@1", "recall@5", "recall@10", "mrr", "tokens@1k", "lines@200")
HEADER = "# Made by `python -m tests.evaluation.goldens`: where each answer stands, 0 if it is not among ten; first results.\n"


@dataclass(frozen=True, slots=True)
class Golden:
    """One question, and how it is answered."""

    query: str
    category: str
    rank: int
    first: str  # the best result
    metrics: dict[str, float]


def answer(encoder: str) -> list[Golden]:
    """What search answers to each question with an encoder."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "shop")
        lay_out(root)
        with Workspace.open(root, encoder=load(encoder), cache_dir=Path(folder, "cache")) as workspace:
            workspace.refresh()
            return list(_answers(workspace, root))


def lay_out(root: Path) -> None:
    for part in (HERE / "repository.txt").read_text(encoding="utf-8").split("--- ")[1:]:
        path, _, text = part.partition("\n")
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def _answers(workspace: Workspace, root: Path) -> Iterator[Golden]:
    for row in (HERE / "queries.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, category, path, text = row.split("\t")
        lines = (root / path).read_text(encoding="utf-8").split("\n")
        (line,) = [number for number, content in enumerate(lines, 1) if text in content]
        target = Target(path, ((line, line),), (line, line))
        hits = workspace.search(SearchRequest(query)).hits
        results = [Result(hit.chunk.path, hit.start_line, hit.end_line, hit.text) for hit in hits]
        rank = next((n for n, r in enumerate(results, 1) if target.is_shown(r.path, r.first, r.last)), 0)
        first = f"{results[0].path}:{results[0].first}" if results else ""
        yield Golden(query, category, rank, first, question_metrics(results, [target], "function", estimate_tokens))


def means(goldens: list[Golden]) -> dict[str, float]:
    return {metric: statistics.fmean(golden.metrics[metric] for golden in goldens) for metric in METRICS}


def section(encoder: str, goldens: list[Golden]) -> str:
    """The part of the file about one encoder."""
    figures = "  ".join(f"{metric} {value:.3f}" for metric, value in means(goldens).items())
    rows = [f"{golden.rank:>3}  {golden.first:<24} {golden.category:<12} {golden.query[:80]}" for golden in goldens]
    return "\n".join([f"[{encoder}]  {figures}", *rows, ""])


def sections(text: str) -> dict[str, str]:
    """The parts of the file by encoder."""
    return {part.partition("]")[0]: f"[{part}".rstrip("\n") + "\n" for part in text.split("\n[")[1:]}
