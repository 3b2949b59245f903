"""How much of what is asked for an assistant has read within a budget of tokens.

Measured as MinishLab/semble publishes it: the share of the annotated places that are shown at 500 to 8,000 tokens, and the tokens
until the first of them, 32,000 where none comes. A place of file level is shown by any line of the file, one of function level by
a line that was changed. Three readers:

- `top-k`: the results of a search in order, each whole; one that does not fit ends the reading.
- `grep+read`: the files that hold most of the query's words, read whole in that order; one that does not fit ends the reading.
- packing, which the caller gives: evaluation and `retrieval.rag` know nothing of each other.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from retrieval.encoders.protocol import Encoder
from retrieval.engine import Workspace
from retrieval.evaluation.benchmarks import Benchmark, Question
from retrieval.evaluation.question_metrics import Result
from retrieval.types import SearchRequest

BUDGETS = (500, 1_000, 2_000, 4_000, 8_000)
GIVE_UP = 32_000  # tokens read where nothing is found
TOP_K = 50
MIN_LETTERS = 3  # of a word that is worth a grep
STOP_WORDS = frozenset(
    "the and for are was were has have had how what where which who why when with from into that this these those does did done "
    "not but its can will would should could may might been being they them all any each about after before over under".split()
)

TOP_K_READER, GREP_READER = "top-k", "grep+read"
Count = Callable[[str], int]
Packer = Callable[[Workspace, str, int], Sequence[Result]]  # a context for a query within a budget: what it shows


@dataclass(frozen=True, slots=True)
class TokenRecall:
    """One reader on one benchmark."""

    benchmark: str
    reader: str
    recall: Mapping[int, float]  # by budget, the mean over questions
    first_hit: float | None  # mean tokens until the first place; None for packing, which is read at a budget


@dataclass(slots=True)
class _Curve:
    """Of each place of a question the tokens until it is shown."""

    costs: list[float]

    def recall(self, budget: int) -> float:
        return sum(cost <= budget for cost in self.costs) / len(self.costs)


def token_recall(
    benchmark: Benchmark,
    encoder: Encoder,
    cache_dir: Path,
    count: Count,
    packers: Mapping[str, Packer],
    progress: Callable[[str], None] = lambda _: None,
) -> list[TokenRecall]:
    """All readers on a benchmark. Raises what an encoder or a workspace raises."""
    curves: dict[str, list[_Curve]] = {TOP_K_READER: [], GREP_READER: []}
    packed: dict[str, dict[int, list[float]]] = {name: {budget: [] for budget in BUDGETS} for name in packers}
    for repository in benchmark.repositories:
        with Workspace.open(repository.root, encoder=encoder, cache_dir=cache_dir) as workspace:
            workspace.refresh()
            files = _files(workspace, count)
            tokens = {path: file.tokens for path, file in files.items()}
            for question in repository.questions:
                curves[TOP_K_READER].append(_curve(_top_k(workspace, question.query), question, count))
                curves[GREP_READER].append(_curve(_grep(files, question.query), question, tokens.__getitem__))
                for name, packer in packers.items():
                    for budget in BUDGETS:
                        packed[name][budget].append(_shown(packer(workspace, question.query, budget), question))
        progress(repository.name)
    out = [
        TokenRecall(benchmark.name, name, {budget: statistics.mean(map(_at(budget), found)) for budget in BUDGETS},
                    statistics.mean(min(GIVE_UP, *curve.costs) for curve in found))
        for name, found in curves.items()
    ]  # fmt: skip
    for name, by_budget in packed.items():
        out.append(
            TokenRecall(benchmark.name, name, {b: statistics.mean(values) for b, values in by_budget.items()}, None)
        )
    return out


def _at(budget: int) -> Callable[[_Curve], float]:
    return lambda curve: curve.recall(budget)


def _shown(results: Sequence[Result], question: Question) -> float:
    shown = [any(target.is_shown(r.path, r.first, r.last) for r in results) for target in question.targets]
    return sum(shown) / len(shown)


def _curve(results: Sequence[Result], question: Question, count: Count) -> _Curve:
    costs, read = [float("inf")] * len(question.targets), 0
    for result in results:
        read += count(result.text)
        for number, target in enumerate(question.targets):
            if costs[number] == float("inf") and target.is_shown(result.path, result.first, result.last):
                costs[number] = read
    return _Curve(costs)


def _top_k(workspace: Workspace, query: str) -> list[Result]:
    answer = workspace.search(SearchRequest(query, limit=TOP_K))
    return [Result(hit.chunk.path, hit.start_line, hit.end_line, hit.text) for hit in answer.hits]


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    text: str  # in lower case
    lines: int
    tokens: int


def _files(workspace: Workspace, count: Count) -> dict[str, _File]:
    """The files of the index, by path."""
    files = {}
    for path in (path for path, row in workspace.store.files.all().items() if row.skip is None):
        try:
            text = (workspace.root / path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        files[path] = _File(path, text.lower(), text.count("\n") + 1, count(text))
    return files


def _grep(files: Mapping[str, _File], query: str) -> list[Result]:
    """Whole files by the number of the query's words in them; `text` is the path, for what is counted already."""
    words = {
        word.lower() for word in re.findall(r"[A-Za-z][A-Za-z0-9]*", query) if len(word) >= MIN_LETTERS
    } - STOP_WORDS
    found = [(-sum(word in file.text for word in words), file.path) for file in files.values()]
    return [Result(path, 1, files[path].lines, path) for negative, path in sorted(found) if negative]
