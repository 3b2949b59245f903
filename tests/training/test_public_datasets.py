"""Samples in the form in which each set is published, made up."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from retrieval.training.public_datasets import READERS, convert, read_set
from retrieval.training.tasks import QUERY_INSTRUCTIONS, DataError, Example, usable

CODE = 'def area(r):\n    """Area of a circle."""\n    square = r * r\n    return 3.14 * square'
BARE = CODE.replace("Area of a circle.", "")
EDIT = {
    "old_contents": "a = 1\nb = 2\n",
    "new_contents": "a = 1\nb = 3\n",
    "subject": "Set b",
    "message": "Set b to three",
}
SAMPLES: list[tuple[str, dict[str, Any], list[Example]]] = [
    (
        "codesearchnet",
        {"docstring": "Area of a circle.", "code": CODE, "repo": "x/y"},
        [Example("Area of a circle.", BARE)],
    ),
    (
        "codesearchnet",
        {"func_documentation_string": "Area of a circle.", "func_code_string": CODE, "language": "python"},
        [Example("Area of a circle.", BARE)],
    ),
    (
        "codesearchnet-code-to-text",
        {"docstring": "Area of a circle.", "code": CODE},
        [Example(BARE, "Area of a circle.")],
    ),
    (
        "codesearchnet-continuation",
        {"docstring": "", "code": CODE},
        [Example("\n".join(CODE.split("\n")[:2]), "\n".join(CODE.split("\n")[2:]))],
    ),
    (
        "apps",
        {
            "problem_id": 1,
            "question": "Add two numbers.",
            "solutions": '["print(a + b)", "print(sum(n))"]',
            "difficulty": "x",
        },
        [Example("Add two numbers.", "print(a + b)"), Example("Add two numbers.", "print(sum(n))")],
    ),
    (
        "codefeedback-st",
        {"query": "How?", "answer": "So.", "resource": "r", "lang": "python"},
        [Example("How?", "So.")],
    ),
    (
        "codefeedback-mt",
        {
            "id": 1,
            "messages": [
                {"role": "user", "content": "How?"},
                {"role": "assistant", "content": "So."},
                {"role": "user", "content": "It fails."},
                {"role": "assistant", "content": "Then so."},
            ],
        },
        [Example("user: How?\nassistant: So.\nuser: It fails.", "Then so.")],
    ),
    ("codeeditsearch", EDIT, [Example("Set b to three", "@@ -1,2 +1,2 @@\n a = 1\n-b = 2\n+b = 3")]),
    ("codeeditsearch", {"message": "Set b", "diff": "-b\n+c"}, [Example("Set b", "-b\n+c")]),
    (
        "codetransocean",
        {"id": 1, "C++": "cout << 1;", "Java": "x", "Python": "print(1)"},
        [Example("print(1)", "cout << 1;")],
    ),
    ("codetransocean", {"source": "print(1)", "target": "echo 1"}, [Example("print(1)", "echo 1")]),
    ("cosqa", {"idx": "q1", "doc": "python add", "code": "a + b", "label": 1}, [Example("python add", "a + b")]),
    ("cosqa", {"idx": "q2", "doc": "python add", "code": "a - b", "label": 0}, []),
    ("stackoverflowqa", {"title": "How?", "body": "I tried.", "answer": "So."}, [Example("How?\nI tried.", "So.")]),
    (
        "synthetic-text2sql",
        {"id": 1, "sql_prompt": "How many?", "sql_context": "CREATE TABLE t", "sql": "SELECT count(*) FROM t"},
        [Example("How many?", "SELECT count(*) FROM t")],
    ),
]


def read(name: str, source: Path) -> list[Example]:
    return list(usable(read_set(name, source), name))


@pytest.mark.parametrize(("name", "row", "expected"), SAMPLES)
@pytest.mark.parametrize("form", ["lines", "array", "packed"])
def test_a_published_row_gives_its_examples(
    tmp_path: Path, name: str, row: dict[str, Any], expected: list[Example], form: str
) -> None:
    text = json.dumps([row] if form == "array" else row).encode() + b"\n"
    path = tmp_path / ("rows.jsonl.gz" if form == "packed" else "rows.json")
    path.write_bytes(gzip.compress(text) if form == "packed" else text)
    assert read(name, path) == expected


def test_every_set_of_the_report_has_a_sample_and_an_instruction() -> None:
    assert {name for name, _, _ in SAMPLES} == set(READERS) <= set(QUERY_INSTRUCTIONS)


@pytest.mark.parametrize("name", sorted(READERS))
@pytest.mark.parametrize("row", [{}, {"query": 3, "code": None, "solutions": 7}, [], "text", None])
def test_rows_of_another_form_are_left_out(tmp_path: Path, name: str, row: object) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("7\n" + json.dumps(row) + "\n{broken\n\n")
    assert read(name, path) == []


def test_the_form_of_retrieval_benchmarks_serves_every_set(tmp_path: Path) -> None:
    (tmp_path / "qrels").mkdir()
    (tmp_path / "queries.jsonl").write_text('{"_id": "q1", "text": "add", "partition": "train"}\n')
    (tmp_path / "corpus.jsonl").write_text('{"_id": "c1", "text": "a + b"}\n{"_id": "c2", "text": "a - b"}\n')
    (tmp_path / "qrels" / "train.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tc1\t1\nq1\tc2\t0\nq9\tc1\t1\n")
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tc2\t1\n")
    assert read("stackoverflowqa", tmp_path) == [Example("add", "a + b")]


def test_what_cannot_be_read_at_all_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no reader for 'other'"):
        read_set("other", tmp_path)
    with pytest.raises(DataError, match="There is no"):
        read_set("apps", tmp_path / "none.jsonl")
    with pytest.raises(DataError, match=r"queries\.jsonl"):
        read("apps", tmp_path)
    with pytest.raises(DataError, match="cannot be read to its end"):
        read("codefeedback-st", cut_short(tmp_path))


def cut_short(folder: Path) -> Path:
    rows = b"".join(b'{"query": "q%d", "answer": "a"}\n' % i for i in range(9_000))
    (folder / "cut.jsonl.gz").write_bytes(gzip.compress(rows)[:-60])
    return folder / "cut.jsonl.gz"


def test_what_was_read_before_a_failure_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "tasks" / "codefeedback-st.jsonl"
    with pytest.raises(DataError, match=r"[1-9]\d* examples that were read before"):
        convert("codefeedback-st", cut_short(tmp_path), target)
    assert target.read_text().startswith('{"query": "q0"')
