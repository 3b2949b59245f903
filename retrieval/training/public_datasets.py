"""The report's public training sets as examples: each as its authors publish it, or in the common form of retrieval benchmarks.

A source is a file (.json, .jsonl, also .gz), a folder with queries.jsonl, corpus.jsonl and qrels (the benchmarks' form, the
same for all sets), or `hub:NAME` with the library `datasets`. Rows of an unexpected form are reported and skipped.

| set | read from a row |
|---|---|
| codesearchnet | docstring and code (`docstring`, `code`, or the hub's `func_documentation_string`, `func_code_string`) |
| codesearchnet-code-to-text | the same, the other way round |
| codesearchnet-continuation | code, cut in two at a line near its middle |
| apps | `question` and each of `solutions` (a list, or a string that holds one) |
| codefeedback-st | `query`, `answer` |
| codefeedback-mt | `messages`: all but the last turn, and the last |
| codeeditsearch | commit message and diff (`diff`, else made of `old_contents` and `new_contents`) |
| codetransocean | two programs that do the same: Python and C++, else the first two languages of the row |
| cosqa | `doc` and `code` where `label` is 1 |
| stackoverflowqa | `title` and `body` (or `question`), and `answer` |
| synthetic-text2sql | `sql_prompt` and `sql` |
"""

from __future__ import annotations

import csv
import difflib
import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from retrieval.training.tasks import DataError, Example, usable, write_examples

Row = Mapping[str, Any]
Examples = Iterator[Example | str]
MAX_SOLUTIONS = 4  # of one problem: hundreds of the same would be its epoch
HUB = "hub:"
_UNEXPECTED_FORM = "of another form"


def read_set(name: str, source: str | Path) -> Examples:
    """Examples, and for each row that gives none the reason. Raises DataError for a source that cannot be read at all."""
    if name not in READERS:
        raise DataError(f"There is no reader for '{name}': known are {', '.join(sorted(READERS))}.")
    if isinstance(source, str) and source.startswith(HUB):
        return _convert_rows(READERS[name], _hub_rows(source.removeprefix(HUB)))
    path = Path(source)
    if path.is_dir():
        return _benchmark(path)
    if not path.is_file():
        raise DataError(f"There is no {path}: give a file, a folder of a benchmark, or {HUB}NAME.")
    return _convert_rows(READERS[name], _rows(path))


def convert(name: str, source: str | Path, target: Path) -> int:
    """Writes the examples to TARGET as tasks are read; what was read before a failure is kept. Returns how many."""
    failures: list[DataError] = []

    def until_failure() -> Iterator[Example]:
        try:
            yield from usable(read_set(name, source), name)
        except DataError as error:
            failures.append(error)

    count = write_examples(until_failure(), target)
    if failures:
        raise DataError(f"{failures[0]} {count} examples that were read before are in {target}.")
    return count


def _convert_rows(reader: Callable[[Row], Examples], rows: Iterable[Row | str]) -> Examples:
    for row in rows:
        if isinstance(row, str):
            yield row
            continue
        try:
            yield from reader(row)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            yield _UNEXPECTED_FORM


def _rows(path: Path) -> Iterator[Row | str]:
    """Of a file of JSON lines, or of one array."""
    try:
        with _open(path) as handle:
            first = handle.read(1)
            while first.isspace():
                first = handle.read(1)
            if first == b"[":
                yield from (
                    row if isinstance(row, dict) else _UNEXPECTED_FORM for row in json.loads(first + handle.read())
                )
                return
            for line in _lines(first, handle):
                yield _parse_line(line)
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"{path} cannot be read to its end: {error}.") from error


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _lines(first: bytes, handle: IO[bytes]) -> Iterator[bytes]:
    yield first + handle.readline()
    yield from handle


def _parse_line(line: bytes) -> Row | str:
    try:
        row = json.loads(line)
    except ValueError:
        return "no JSON" if line.strip() else "empty"
    return row if isinstance(row, dict) else _UNEXPECTED_FORM


def _hub_rows(name: str) -> Iterator[Row]:
    try:
        from datasets import load_dataset  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError as error:
        raise DataError("Data sets of the hub need the library datasets: pip install datasets") from error
    try:
        yield from load_dataset(name, split="train")
    except Exception as error:  # it has dozens of its own, for networks, names and formats
        raise DataError(f"The data set '{name}' cannot be loaded: {error}") from error


def _benchmark(folder: Path) -> Examples:
    """queries.jsonl and corpus.jsonl (`_id`, `text`), joined by qrels/*.tsv or qrels.jsonl where the score is not 0."""
    texts = {part: _texts(folder / f"{part}.jsonl") for part in ("queries", "corpus")}
    for query, passage in _relevance_pairs(folder):
        if query in texts["queries"] and passage in texts["corpus"]:
            yield Example(texts["queries"][query], texts["corpus"][passage])
        else:
            yield "that name an unknown text"


def _texts(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise DataError(f"There is no {path}: a benchmark's folder holds queries.jsonl, corpus.jsonl and qrels.")
    return {str(row.get("_id")): str(row.get("text", "")) for row in _rows(path) if not isinstance(row, str)}


def _relevance_pairs(folder: Path) -> Iterator[tuple[str, str]]:
    train = folder / "qrels" / "train.tsv"
    tables = [train] if train.is_file() else sorted((folder / "qrels").glob("*.tsv"))
    rows: list[Row] = []
    for table in tables:
        with table.open(encoding="utf-8", newline="") as handle:
            rows += list(csv.DictReader(handle, delimiter="\t"))
    if (folder / "qrels.jsonl").is_file():
        rows += [row for row in _rows(folder / "qrels.jsonl") if not isinstance(row, str)]
    for row in rows:
        if str(row.get("score", "1")) not in ("0", "0.0"):
            yield str(row.get("query-id", row.get("query_id"))), str(row.get("corpus-id", row.get("corpus_id")))


def _code_search(row: Row) -> tuple[str, str]:
    doc = row.get("func_documentation_string") or row["docstring"]
    return _text(doc), _text(row.get("func_code_string") or row["code"])


def _text_to_code(row: Row) -> Examples:
    doc, code = _code_search(row)
    yield Example(doc, _without(code, doc))


def _code_to_text(row: Row) -> Examples:
    doc, code = _code_search(row)
    yield Example(_without(code, doc), doc)


def _without(code: str, doc: str) -> str:
    """Code that holds its own docstring would be found by it."""
    return code.replace(doc, "", 1) if doc else code


def _continuation(row: Row) -> Examples:
    yield halves(_code_search(row)[1]) or "too short to be cut in two"


def halves(code: str) -> Example | None:
    """The two halves of a piece of code, cut at the line nearest its middle; None for less than four lines."""
    lines = code.strip("\n").split("\n")
    if len(lines) < 4:
        return None
    middle = len(lines) // 2
    return Example("\n".join(lines[:middle]), "\n".join(lines[middle:]))


def _apps(row: Row) -> Examples:
    solutions = row["solutions"]
    several = json.loads(solutions) if isinstance(solutions, str) else solutions
    if not several:
        yield "without a solution"
    for solution in several[:MAX_SOLUTIONS]:
        yield Example(_text(row["question"]), _text(solution))


def _question_answer(row: Row) -> Examples:
    yield Example(_text(row["query"]), _text(row["answer"]))


def _conversation(row: Row) -> Examples:
    turns = [(_text(turn["role"]), _text(turn["content"])) for turn in row["messages"]]
    if len(turns) < 2 or turns[-1][0] != "assistant":
        yield "that do not end with an answer"
        return
    yield Example("\n".join(f"{role}: {content}" for role, content in turns[:-1]), turns[-1][1])


def _edit(row: Row) -> Examples:
    message = _text(row.get("message") or row.get("instruction") or row["subject"])
    yield Example(message, _text(row.get("diff") or diff(_text(row["old_contents"]), _text(row["new_contents"]))))


def diff(old: str, new: str) -> str:
    """Unified, without the file names."""
    return "\n".join(list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm=""))[2:])


def _translation(row: Row) -> Examples:
    programs = {
        str(name).lower(): text for name, text in row.items() if isinstance(text, str) and name not in ("id", "name")
    }
    names = list(programs)
    source = next((name for name in ("python", "source") if name in programs), names[0])
    names.remove(source)
    target = next((name for name in ("c++", "cpp", "target") if name in names), names[0])
    yield Example(programs[source], programs[target])


def _web_query(row: Row) -> Examples:
    if int(row.get("label", 1)) == 1:
        yield Example(_text(row["doc"]), _text(row["code"]))
    else:
        yield "that are judged not to match"


def _forum(row: Row) -> Examples:
    question = row.get("question") or "\n".join(_text(row[part]) for part in ("title", "body") if row.get(part))
    yield Example(_text(question), _text(row["answer"]))


def _sql(row: Row) -> Examples:
    yield Example(_text(row["sql_prompt"]), _text(row["sql"]))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a string, got {value!r}")
    return value


READERS: Mapping[str, Callable[[Row], Examples]] = {
    "codesearchnet": _text_to_code,
    "codesearchnet-code-to-text": _code_to_text,
    "codesearchnet-continuation": _continuation,
    "apps": _apps,
    "codefeedback-st": _question_answer,
    "codefeedback-mt": _conversation,
    "codeeditsearch": _edit,
    "codetransocean": _translation,
    "cosqa": _web_query,
    "stackoverflowqa": _forum,
    "synthetic-text2sql": _sql,
}
