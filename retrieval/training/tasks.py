"""Tasks: what is asked, how the instruction words it, and the examples to learn from.

A folder of tasks holds one NAME.jsonl a task, each row {"query": …, "positive": …, "negatives": [… ]}; the name decides the
instruction (the table below, else the code-search one). Rows that cannot be used are counted and told, not fatal.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from retrieval.errors import C2llmError

CODE_SEARCH = "Retrieve the code that solves the following query:\n"
DOCUMENT = "Retrieved Answer:"
_CONTEST = (
    "Given a problem description from a programming contest, retrieve code examples that can assist in solving it.\n"
)
_SIMILAR = "Given a code snippet, retrieve code that does the same.\n"
QUERY_INSTRUCTIONS: Mapping[str, str] = {
    "codesearchnet": CODE_SEARCH,
    "codesearchnet-code-to-text": (
        "Given a code snippet, retrieve its corresponding document string that summarizes its functionality.\n"
    ),
    "codesearchnet-continuation": "Given an initial code segment, retrieve the subsequent segment that continues the code.\n",
    "apps": _CONTEST,
    "codefeedback-mt": (
        "Given a multi-turn conversation history that includes both text and code, retrieve relevant multi-modal answers "
        "composed of text and code that address the ongoing discussion.\n"
    ),
    "codefeedback-st": (
        "Given a single-turn question composed of text and code, retrieve suitable answers that also mix text and code to "
        "provide helpful feedback.\n"
    ),
    "codeeditsearch": "Retrieve the diff code that relevant the following query:\n",
    "codetransocean": "Given a Python code snippet, retrieve its semantically equivalent version written in C++.\n",
    "cosqa": "Given a query from a web search, retrieve code that is helpful in addressing the query.\n",
    "stackoverflowqa": (
        "Given a question combining text and code, retrieve relevant answers that also contain both text and code snippets and "
        "can address the question.\n"
    ),
    "synthetic-text2sql": "Given a natural language question, retrieve SQL queries that serve as appropriate responses.\n",
    "similar": _SIMILAR,
    "halves": "Given an initial code segment, retrieve the subsequent segment that continues the code.\n",
    "tests": "Given a test, retrieve the code that it tests.\n",
    "commits": "Retrieve the diff code that relevant the following query:\n",
}

logger = logging.getLogger(__name__)


class DataError(C2llmError):
    """Training data that is missing, empty or of another form."""


@dataclass(frozen=True, slots=True)
class Example:
    query: str
    positive: str
    negatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """`weight`: how often its examples are seen, in epochs of the run's epoch. `held_out` is never trained on."""

    name: str
    examples: Sequence[Example]
    query_instruction: str = CODE_SEARCH
    document_instruction: str = DOCUMENT
    weight: float = 1.0
    held_out: Sequence[Example] = field(default=())


def instruction_of(name: str) -> str:
    return QUERY_INSTRUCTIONS.get(name, CODE_SEARCH)


def read_tasks(folder: Path, *, weights: Mapping[str, float] | None = None, held_out: int = 200) -> list[Task]:
    """The tasks of a folder; of each, the last examples (at most a tenth) are held out."""
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        raise DataError(
            f"There is no task in {folder}: it needs files NAME.jsonl with rows of query, positive and perhaps negatives."
        )
    chosen = weights or {}
    if unknown := sorted(set(chosen) - {file.stem for file in files}):
        raise DataError(f"A weight names the task '{unknown[0]}', which {folder} does not hold.")
    tasks = []
    for file in files:
        examples = list(usable(read_examples(file), file.name))
        if len(examples) < 2:
            raise DataError(f"{file} holds {len(examples)} usable examples; a task needs two at least.")
        kept = min(held_out, len(examples) // 10)
        tasks.append(
            Task(
                file.stem,
                examples[: len(examples) - kept],
                instruction_of(file.stem),
                weight=chosen.get(file.stem, 1.0),
                held_out=examples[len(examples) - kept :],
            )
        )
    return tasks


def read_examples(file: Path) -> Iterator[Example | str]:
    """Examples, and for each row that is none the reason."""
    with file.open("rb") as handle:
        for line in handle:
            if line.strip():
                yield _example(line)


def _example(line: bytes) -> Example | str:
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        return "not in UTF-8"
    except ValueError:
        return "no JSON"
    if not isinstance(row, dict):
        return "no object"
    query, positive, negatives = row.get("query"), row.get("positive"), row.get("negatives", [])
    if not isinstance(query, str) or not isinstance(positive, str):
        return "no query or no positive"
    if not isinstance(negatives, list) or not all(isinstance(text, str) for text in negatives):
        return "negatives that are no list of texts"
    return Example(query, positive, tuple(negatives))


def usable(rows: Iterable[Example | str], source: str) -> Iterator[Example]:
    """The examples with text on both sides and something to learn; what is left out is told at the end."""
    refused: Counter[str] = Counter()
    for row in rows:
        if isinstance(row, str):
            refused[row] += 1
        elif not row.query.strip() or not row.positive.strip():
            refused["without text"] += 1
        elif row.query.strip() == row.positive.strip():
            refused["query and positive the same"] += 1
        else:
            yield row
    if refused:
        logger.warning(
            "%s: left out %s", source, ", ".join(f"{count} rows ({why})" for why, count in refused.most_common())
        )


def write_examples(examples: Iterable[Example], target: Path) -> int:
    """Rows as `read_examples` reads them, written whole or not at all; returns how many."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary, count = target.with_suffix(".part"), 0
    with temporary.open("w", encoding="utf-8") as handle:
        for example in examples:
            row: dict[str, object] = {"query": example.query, "positive": example.positive}
            if example.negatives:
                row["negatives"] = list(example.negatives)
            handle.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    temporary.replace(target)
    return count
