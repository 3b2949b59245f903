"""A repository asks about itself: with its doc comments, which are taken out of the code, and with its commits."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from c2llm_lsp.cli.evaluate import app
from retrieval.evaluation.benchmarks import Target
from retrieval.evaluation.own import choose
from retrieval.evaluation.own.commit_questions import ask_commits
from retrieval.evaluation.own.doc_comments import is_asked_for, says, without_doc_comments
from tests.evaluation.test_search_runs import made_up

SOURCE = '''import os


def retry(request, attempts):
    """Send a failed request again after a pause. Gives up in the end."""
    for attempt in range(attempts):
        if request.send():
            return attempt
    return None


def size(path):
    """The size of a file in bytes: 🎉 size."""
    return os.stat(path).st_size if os.path.exists(path) else 0
'''
WORDS = "alpha beta gamma delta stack queue parse option session redirect cookie header mail price invoice folder token".split()


def git(root: Path, *arguments: str) -> None:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run(["git", *identity, *arguments], cwd=root, env=environment, check=True, capture_output=True)


def commit(root: Path, message: str) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", message)


def test_comments_leave_the_code_and_ask_for_their_functions() -> None:
    text, questions = without_doc_comments("app/net.py", SOURCE)
    (question,) = questions  # the other comment gives the name away
    assert question.query == "Send a failed request again after a pause."
    assert question.targets == (Target("app/net.py", ((4, 9),), (4, 9)),)
    assert "again after" not in text and "bytes" not in text
    kept = [number for number, line in enumerate(SOURCE.split("\n")) if '"""' not in line]
    assert [text.split("\n")[n] for n in kept] == [SOURCE.split("\n")[n] for n in kept]


@pytest.mark.parametrize(
    ("query", "name", "given_away"),
    [("how retry works", "net.retry", True), ("Retrying it", "retry", False), ("the Client sends", "Client.go", True)],
)
def test_a_question_gives_its_answer_away_by_a_name(query: str, name: str, given_away: bool) -> None:
    assert says(query, name) is given_away


def test_tests_and_vendored_files_are_not_asked_for() -> None:
    assert is_asked_for("src/app.py")
    assert not any(map(is_asked_for, ("tests/app.py", "node_modules/x/a.js", "a.min.js", "README.md")))


def test_commits_ask_for_the_functions_whose_lines_they_added(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    git(root, "init", "-q")
    (root / "net.py").write_text(SOURCE)
    commit(root, "Add everything that is needed at first")
    (root / "net.py").write_text(
        SOURCE.replace("        if request", "        request.wait(2 ** attempt)\n        if request")
    )
    commit(root, "fix(net): wait longer after each failed attempt (#12)")
    (root / "notes.md").write_text("nothing to ask about\n")
    commit(root, "Write some notes about the network")
    (root / "net.py").write_text((root / "net.py").read_text() + "# the end of it\n")
    commit(root, "Merge branch of somebody who wrote")
    questions = list(ask_commits(root))
    assert [(question.query, question.category) for question in questions] == [
        ("wait longer after each failed attempt", "fix"),
        ("Add everything that is needed at first", "change"),
    ]
    assert questions[0].targets == (Target("net.py", ((7, 7),), (4, 10)),)
    assert [target.function for target in questions[1].targets] == [(4, 10), (13, 15)]


def test_a_folder_without_history_has_no_commits_to_ask_with(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(SOURCE)
    assert list(ask_commits(tmp_path)) == []


def test_the_best_is_told_with_those_that_may_be_as_good() -> None:
    runs = {
        "a": made_up({"x": [0.0] * 30}, "function"),
        "b": made_up({"x": [1.0] * 29 + [0.0]}, "function"),
        "c": made_up({"x": [1.0] * 28 + [0.0, 1.0]}, "function"),
    }
    choices = choose(runs)
    assert [(choice.name, choice.as_good) for choice in choices] == [("b", True), ("c", True), ("a", False)]
    assert choices[0].low < choices[0].value < choices[0].high
    assert choices[2].behind[0] > 0.5


def documented_functions(count: int) -> str:
    """Functions with comments of their own words."""
    pairs = [(WORDS[n % len(WORDS)], WORDS[(n * 5 + 3) % len(WORDS)]) for n in range(count)]
    return "\n\n".join(
        f'def work_{n}(given):\n    """Make the {a} of what {b} number {n} gives."""\n    {a} = given.{b}({n})\n    return {a}\n'
        for n, (a, b) in enumerate(pairs)
    )


def test_the_command_tries_each_ranking_and_names_the_best(tmp_path: Path) -> None:
    root, out = tmp_path / "shop", tmp_path / "runs"
    root.mkdir()
    (root / "work.py").write_text(documented_functions(24))
    fixed = [str(root), "--encoder", "overlap", "--ranking", "full", "--ranking", "dense", "--out", str(out)]
    result = CliRunner().invoke(app, ["own", *fixed, "--json", "--quiet", "--cache-dir", str(tmp_path / "cache")])
    assert result.exit_code == 0, result.output
    data = json.loads(result.output)
    assert data["best"] in ("overlap full", "overlap dense")
    assert {choice["name"] for choice in data["choices"]} == {"overlap full", "overlap dense"}
    assert data["choices"][0]["as_good_as_the_best"]
    assert len(list(out.iterdir())) == 2
    shown = CliRunner().invoke(app, ["own", *fixed, "--quiet", "--cache-dir", str(tmp_path / "cache")]).output
    assert f"Best here: {data['best']}." in shown


def test_too_few_questions_are_told(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(SOURCE)
    fixed = [str(tmp_path), "--encoder", "overlap", "--cache-dir", str(tmp_path / "cache")]
    result = CliRunner().invoke(app, ["own", *fixed])
    assert result.exit_code == 1
    assert "too few" in result.output
