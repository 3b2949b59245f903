"""Runs over benchmarks: asked, saved, read again, compared."""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from c2llm_lsp.cli.evaluate import app
from retrieval.encoders import OverlapEncoder
from retrieval.errors import QueryError
from retrieval.evaluation.benchmarks import load_benchmark
from retrieval.evaluation.compare import compare
from retrieval.evaluation.run_file import BenchmarkRun, QuestionRun, RepositoryRun, Run, load, save
from retrieval.evaluation.search_run import RunOptions, run_benchmarks
from tests.evaluation.small_benchmarks import lay_out_benchmarks, write


def made_up(values: dict[str, list[float]], level: str = "file", name: str = "bench") -> Run:
    """A run with these figures for the questions of each repository."""
    metric = {"file": "ndcg@10", "function": "recall@10"}[level]
    repositories = [
        RepositoryRun(
            name=repository,
            language="python",
            chunks=1,
            index_seconds=None,
            questions=[
                QuestionRun(query=f"question {n}", category="any", seconds=0.01, metrics={metric: value}, results=[])
                for n, value in enumerate(figures)
            ],
        )
        for repository, figures in values.items()
    ]
    benchmark = BenchmarkRun(name=name, level=level, repositories=repositories)  # type: ignore[arg-type]
    return Run(created="", version="", encoder="overlap", ranking="full", benchmarks=[benchmark])


def test_both_kinds_of_benchmark_are_asked_and_a_saved_run_is_the_same(tmp_path: Path) -> None:
    trees, files, functions = lay_out_benchmarks(tmp_path)
    benchmarks = [load_benchmark(folder, [trees]) for folder in (files, functions)]
    options = RunOptions(tmp_path / "cache", len, signals=True)
    run = run_benchmarks(benchmarks, OverlapEncoder(), options)
    of_files, of_functions = run.benchmarks
    assert (of_files.level, of_files.mean("ndcg@10")) == ("file", 1.0)
    assert (of_functions.level, of_functions.mean("recall@1")) == ("function", 1.0)
    assert of_files.by(lambda _, question: question.category, "mrr") == {"architecture": (1.0, 1), "semantic": (1.0, 1)}
    assert of_files.repositories[0].index_seconds is not None and of_functions.repositories[0].index_seconds is None
    save(run, tmp_path / "runs" / "one.json")
    assert load(tmp_path / "runs" / "one.json") == run


@pytest.mark.skipif(os.name != "posix", reason="Windows has no modes")
def test_a_saved_run_is_readable_by_its_owner_alone_whatever_the_umask_is(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "one.json"
    run = Run(created="", version="0", encoder="overlap", ranking="", benchmarks=[])
    before = os.umask(0)
    try:
        save(run, path)
        path.chmod(0o644)
        save(run, path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_signal_that_an_answer_needs_is_told(tmp_path: Path) -> None:
    trees, _, functions = lay_out_benchmarks(tmp_path)
    options = RunOptions(tmp_path / "cache", len, ranking="words", signals=True)
    run = run_benchmarks([load_benchmark(functions, [trees])], OverlapEncoder(), options)
    (question,) = run.benchmarks[0].repositories[0].questions
    assert set(question.signals) <= {"lexical"}  # the ranking goes by nothing else


@pytest.mark.parametrize(
    ("path", "data", "message"),
    [
        ("repos.json", "no list", "is not a benchmark: TypeError"),
        ("annotations/shop.json", [{"query": "x"}], "is not a benchmark: KeyError"),
        ("annotations/shop.json", [], "has no questions"),
        ("repos.json", [{"name": "elsewhere"}], "The code of elsewhere is not in"),
    ],
)
def test_a_benchmark_that_cannot_be_read_is_a_plain_error(
    tmp_path: Path, path: str, data: object, message: str
) -> None:
    trees, files, _ = lay_out_benchmarks(tmp_path)
    write(files / path, data)
    with pytest.raises(QueryError, match=message):
        load_benchmark(files, [trees])


def test_a_run_that_is_none_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"benchmarks": 7}')
    with pytest.raises(QueryError, match="is not a run"):
        load(tmp_path / "a.json")
    with pytest.raises(QueryError, match="There is no"):
        load(tmp_path / "b.json")
    future = msgspec.structs.replace(made_up({"a": [1.0]}), schema_version=99)
    save(future, tmp_path / "c.json")
    with pytest.raises(QueryError, match="another version"):
        load(tmp_path / "c.json")


def test_a_clear_loss_is_worse_and_names_who_lost() -> None:
    before, after = (
        made_up({"a": [1.0] * 9 + [0.0], "b": [0.9] * 10}),
        made_up({"a": [0.5] * 9 + [0.2], "b": [0.8] * 10}),
    )
    comparison = compare(before, after)
    (difference,) = comparison.differences
    assert (difference.before, difference.after) == (pytest.approx(0.9), pytest.approx(0.635))
    assert (difference.won, difference.lost, difference.verdict) == (1, 19, "worse")
    assert difference.low < difference.change < difference.high < 0
    assert comparison.worse
    assert (comparison.changes[0].repository, comparison.changes[-1].after) == ("a", 0.2)


def test_what_may_be_luck_is_no_difference() -> None:
    comparison = compare(made_up({"a": [1.0, 0.0, 0.5, 0.5]}), made_up({"a": [0.0, 0.9, 0.5, 0.5]}))
    assert comparison.differences[0].verdict == "no difference"
    assert not comparison.worse


def test_repositories_weigh_the_same_whatever_they_ask() -> None:
    comparison = compare(made_up({"a": [0.0] * 50, "b": [0.0]}), made_up({"a": [0.0] * 50, "b": [1.0]}))
    assert comparison.differences[0].change == pytest.approx(0.5)


def test_only_shared_questions_are_compared() -> None:
    comparison = compare(made_up({"a": [0.5, 0.5]}), made_up({"a": [0.5], "b": [1.0]}))
    assert (comparison.differences[0].questions, comparison.unmatched) == (1, 2)
    with pytest.raises(QueryError, match="no question in common"):
        compare(made_up({"a": [1.0]}), made_up({"a": [1.0]}, name="other"))


def test_the_commands_save_compare_and_leave_with_1_for_a_loss(tmp_path: Path) -> None:
    trees, files, functions = lay_out_benchmarks(tmp_path)
    saved, fixed = tmp_path / "run.json", ["--encoder", "overlap", "--cache-dir", str(tmp_path / "cache"), "--quiet"]
    asked = ["search", str(files), str(functions), "--trees", str(trees), *fixed]
    shown = CliRunner().invoke(app, [*asked, "--out", str(saved)])
    assert shown.exit_code == 0, shown.output
    assert "of-files (file level): 1 repositories, 2 questions" in shown.output
    assert "recall@10 by category: fix 1.000 (1)" in shown.output
    data = json.loads(CliRunner().invoke(app, [*asked, "--json", "--only", "shop", "--out", str(saved)]).output)
    of_files, of_functions = data["benchmarks"]
    assert of_files["metrics"]["ndcg@10"] == of_files["languages"]["python"]["ndcg@10"] == 1.0
    assert set(of_functions["categories"]) == {"fix"} and of_files["query_seconds"]["p95"] > 0
    same = CliRunner().invoke(app, ["compare", str(saved), str(saved), "--json"])
    assert (same.exit_code, json.loads(same.output)["worse"]) == (0, False)
    run = load(saved)
    worse = json.loads(saved.read_text())
    for question in worse["benchmarks"][0]["repositories"][0]["questions"]:
        question["metrics"]["ndcg@10"] = 0.5
    write(tmp_path / "worse.json", worse)
    lost = CliRunner().invoke(app, ["compare", str(saved), str(tmp_path / "worse.json")])
    assert lost.exit_code == 1 and run.benchmarks
    assert "lost most:" in lost.output and "total price of items" in lost.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--ranking", "best"], "no ranking 'best'"),
        (["--only", "nothing"], "No repository"),
        (["--trees", "/x"], "not in /x"),
    ],
)
def test_mistakes_are_told_in_a_sentence(tmp_path: Path, options: list[str], message: str) -> None:
    trees, files, _ = lay_out_benchmarks(tmp_path)
    result = CliRunner().invoke(
        app, ["search", str(files), *([] if "--trees" in options else ["--trees", str(trees)]), *options]
    )
    assert result.exit_code == 2
    assert message in result.output
