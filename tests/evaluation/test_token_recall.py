"""What has been read within a budget of tokens."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from c2llm_lsp.cli.evaluate import app
from retrieval.encoders import OverlapEncoder
from retrieval.evaluation.benchmarks import load_benchmark
from retrieval.evaluation.question_metrics import Result
from retrieval.evaluation.token_recall import BUDGETS, GREP_READER, TOP_K_READER, token_recall
from tests.evaluation.small_benchmarks import lay_out_benchmarks


def test_each_reader_is_measured_by_what_it_shows_within_the_budget(tmp_path: Path) -> None:
    trees, files, functions = lay_out_benchmarks(tmp_path)
    packers = {
        "all of it": lambda workspace, query, budget: [
            Result("shop/invoice.py", 1, 99),
            Result("shop/queue.py", 1, 99),
        ],
        "from 2,000": lambda workspace, query, budget: [Result("shop/invoice.py", 11, 11)] if budget >= 2_000 else [],
        "beside it": lambda workspace, query, budget: [Result("shop/invoice.py", 1, 10)],
    }
    rows = {}
    for folder in (files, functions):
        loaded = load_benchmark(folder, [trees])
        for row in token_recall(loaded, OverlapEncoder(), tmp_path / "cache", lambda text: 300 + len(text), packers):
            rows[row.benchmark, row.reader] = row
    of_functions = [rows["of-functions", name].recall for name in ("all of it", "from 2,000", "beside it")]
    assert [list(recall.values()) for recall in of_functions] == [[1.0] * 5, [0.0, 0.0, 1.0, 1.0, 1.0], [0.0] * 5]
    assert rows["of-files", "beside it"].recall == dict.fromkeys(BUDGETS, 0.5)  # one of two questions
    for name in (TOP_K_READER, GREP_READER):
        assert rows["of-files", name].recall[8_000] == 1.0
        assert 300 < (rows["of-files", name].first_hit or 0) < 2_000
    assert rows["of-files", GREP_READER].recall[500] < 1.0, "a file that does not fit whole is not read"


def test_the_command_tells_it_for_packed_contexts_too(tmp_path: Path) -> None:
    trees, files, _ = lay_out_benchmarks(tmp_path)
    arguments = [
        "tokens",
        str(files),
        "--trees",
        str(trees),
        "--encoder",
        "overlap",
        "--cache-dir",
        str(tmp_path / "c"),
        "--json",
    ]
    result = CliRunner().invoke(app, [*arguments, "--tokenizer", "estimate", "-q"])
    assert result.exit_code == 0, result.output
    packed = next(row for row in json.loads(result.output) if row["reader"] == "packed")
    assert packed["recall"] == {str(budget): 1.0 for budget in BUDGETS}
