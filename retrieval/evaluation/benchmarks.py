"""Benchmarks of code search, read from disk: questions with known answers about repositories.

Two layouts, each a folder with `repos.json` (name, language; root for the first) and one file of questions for each repository:

- file level: `annotations/NAME.json` with `query`, `category`, `relevant` and `secondary`: paths, some with lines. The code lies in
  TREES/NAME/ROOT. An answer counts for a path that ends alike.
- function level: `NAME.json` with `query`, `category` and `targets`: functions, and the lines of each that a change touched. The
  code lies in TREES/NAME. An answer counts where it shows a touched line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from retrieval.errors import QueryError

Level = Literal["file", "function"]
LineRange = tuple[int, int]  # first and last, from 1


@dataclass(frozen=True, slots=True)
class Target:
    """What a question looks for: a file, or lines of it."""

    path: str
    lines: tuple[LineRange, ...] = ()  # a result has to show one of them; any line of the file where there are none
    function: LineRange | None = None  # the whole of what they belong to
    suffix: bool = False  # whether a path that ends alike is the same one

    def is_path(self, path: str) -> bool:
        if self.path == path:
            return True
        return self.suffix and (path.endswith("/" + self.path) or self.path.endswith("/" + path))

    def is_shown(self, path: str, first: int, last: int) -> bool:
        """Whether lines of a file show it."""
        return self.is_path(path) and (
            not self.lines or any(first <= end and start <= last for start, end in self.lines)
        )


@dataclass(frozen=True, slots=True)
class Question:
    query: str
    category: str
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Repository:
    """A tree of files, and what is asked about it."""

    name: str
    language: str
    root: Path
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Benchmark:
    name: str
    level: Level
    repositories: tuple[Repository, ...]


def load_benchmark(folder: Path, trees: Sequence[Path], only: Sequence[str] = ()) -> Benchmark:
    """A benchmark, with the repositories that are wanted. Raises QueryError for one that cannot be read, or whose code is in
    none of the trees.
    """
    level: Level = "file" if (folder / "annotations").is_dir() else "function"
    entries = _read(folder / "repos.json")
    try:
        wanted = [entry for entry in entries if not only or entry["name"] in only]
        repositories = tuple(_repositories(folder, level, trees, wanted))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise QueryError(f"{folder} is not a benchmark: {type(error).__name__}: {error}.") from error
    if not repositories and not only:
        raise QueryError(f"{folder / 'repos.json'} names no repository.")
    return Benchmark(folder.resolve().name, level, repositories)


def _repositories(folder: Path, level: Level, trees: Sequence[Path], entries: Sequence[Any]) -> Iterator[Repository]:
    for entry in entries:
        name = entry["name"]
        inside = Path(name, entry.get("root", "")) if level == "file" else Path(name)
        root = next((tree / inside for tree in trees if (tree / inside).is_dir()), None)
        if root is None:
            where = ", ".join(map(str, trees))
            raise QueryError(f"The code of {name} is not in {where}: lay it out there, or leave it out with --only.")
        source = folder / "annotations" / f"{name}.json" if level == "file" else folder / f"{name}.json"
        questions = tuple(map(_of_files if level == "file" else _of_functions, _read(source)))
        if not questions or not all(question.targets for question in questions):
            raise QueryError(f"{source} has no questions, or some without an answer.")
        yield Repository(name, entry.get("language", ""), root, questions)


def _of_files(entry: dict[str, Any]) -> Question:
    named = [*entry["relevant"], *entry.get("secondary", [])]
    targets = [Target(t, suffix=True) if isinstance(t, str) else _with_lines(t) for t in named]
    return Question(entry["query"], entry["category"], tuple(targets))


def _with_lines(entry: dict[str, Any]) -> Target:
    start, end = entry.get("start_line"), entry.get("end_line")
    lines = () if start is None or end is None else ((start, end),)
    return Target(entry["path"], lines, lines[0] if lines else None, suffix=True)


def _of_functions(entry: dict[str, Any]) -> Question:
    targets = [
        Target(t["path"], tuple((first, last) for first, last in t["touched"]), (t["start_line"], t["end_line"]))
        for t in entry["targets"]
    ]
    return Question(entry["query"], entry["category"], tuple(targets))


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise QueryError(f"There is no {path}: give the folder of a benchmark.") from None
    except (OSError, ValueError) as error:
        raise QueryError(f"{path} cannot be read as JSON: {error}.") from error
