"""How well code is found by those who do not know how it calls a thing: everyday words for Python's standard library.

Docs and names teach a model the words of programmers. These questions use others: "throw a dice" is `randint`. The questions
stand in paraphrases.tsv, the code is that of the running Python. The first, third, … are for developing, the others are held
out: nothing is chosen by them.
"""

from __future__ import annotations

import re
import shutil
import statistics
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from retrieval.encoders.protocol import Encoder
from retrieval.engine import Workspace
from retrieval.types import Hit, SearchRequest

QUESTIONS = Path(__file__).with_name("paraphrases.tsv")
DEEPEST = 100  # hits that are looked at; what comes later counts nothing


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    path: str
    symbol: str
    held_out: bool


def questions(source: Path = QUESTIONS) -> list[Question]:
    lines = [line for line in source.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    rows = enumerate(line.split("\t") for line in lines)
    return [Question(text, path, symbol, number % 2 == 1) for number, (text, path, symbol) in rows]


def reciprocal_ranks(
    encoder: Encoder, rankings: Sequence[str], asked: Sequence[Question], library: Path | None = None
) -> dict[str, list[float]]:
    """By ranking: 1 / (place of the first hit that shows the definition) for each question, 0 where there is none."""
    library = library or Path(sysconfig.get_paths()["stdlib"])
    with tempfile.TemporaryDirectory() as folder:
        root, cache = Path(folder, "library"), Path(folder, "cache")
        for path in {question.path for question in asked}:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(library / path, root / path)
        with Workspace.open(root, encoder=encoder, cache_dir=cache) as workspace:
            workspace.refresh()
            return {name: list(_ranks(workspace, root, name, asked)) for name in rankings}


def mean_by_part(asked: Sequence[Question], ranks: Sequence[float]) -> tuple[float, float]:
    """(for developing, held out)."""
    parts = (
        [rank for question, rank in zip(asked, ranks, strict=True) if question.held_out is part]
        for part in (False, True)
    )
    developing, held_out = (statistics.mean(part) if part else float("nan") for part in parts)
    return developing, held_out


def _ranks(workspace: Workspace, root: Path, ranking: str, asked: Sequence[Question]) -> Iterator[float]:
    for question in asked:
        lines = definition_lines(root / question.path, question.symbol)
        hits = workspace.search(SearchRequest(question.text, limit=DEEPEST, ranking=ranking)).hits
        place = next((place for place, hit in enumerate(hits, 1) if _shows(hit, question.path, lines)), None)
        yield 1 / place if place else 0.0


def definition_lines(path: Path, symbol: str) -> list[int]:
    pattern = re.compile(rf"\s*(?:async\s+)?(?:def|class)\s+{re.escape(symbol)}\b")
    lines = path.read_text(encoding="utf-8").splitlines()
    return [number for number, line in enumerate(lines, 1) if pattern.match(line)]


def _shows(hit: Hit, path: str, lines: Sequence[int]) -> bool:
    return hit.chunk.path == path and any(hit.start_line <= line <= hit.end_line for line in lines)
