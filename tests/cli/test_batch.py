"""`c2llm batch`: one line in, one line out, whatever the line is."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.program import Program
from tests.patience import PATIENCE


def ask(c2llm: Program, project: Path, *lines: str | bytes) -> list[dict]:
    given = b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)
    done = c2llm("batch", project, stdin=given)
    assert done.code == 0
    ready, *answers = done.out.splitlines()
    assert ready == "ready"
    assert len(answers) == len(lines)
    return [json.loads(answer) for answer in answers]


def test_queries_are_answered_in_order(c2llm: Program, project: Path) -> None:
    queries = {
        "apply ignore rules": "app/ignore.py",
        "add a job to the queue": "core/queue.go",
        "retry": "web/retry.ts",
    }
    answers = ask(c2llm, project, *(json.dumps({"query": query, "k": 10}) for query in queries))
    assert [answer["results"][0]["path"] for answer in answers] == list(queries.values())
    best = answers[0]["results"][0]
    assert set(best) == {"path", "start_line", "end_line", "kind", "symbol", "scope", "score"}
    assert best["symbol"] == "apply_ignore_rules"
    assert best["start_line"] <= 4 <= best["end_line"]


def test_ready_comes_when_the_index_is_complete_and_answers_come_at_once(c2llm: Program, project: Path) -> None:
    process = c2llm.start("batch", project)
    assert process.stdin and process.stdout
    assert process.stdout.readline() == "ready\n"
    for _ in range(3):
        process.stdin.write('{"query": "ignore rules"}\n')
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["results"]
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def test_filters_are_those_of_the_command_line(c2llm: Program, project: Path) -> None:
    asked = [{"content": ["docs"]}, {"grep": "^func"}, {"languages": ["ts"], "content": ["code"]}]
    answers = ask(c2llm, project, *(json.dumps({"query": "job price rules retry", **filters}) for filters in asked))
    paths = [{result["path"] for result in answer["results"]} for answer in answers]
    assert paths == [{"README.md"}, {"core/queue.go"}, {"web/retry.ts"}]


def test_an_answer_says_when_nothing_certain_was_found(c2llm: Program, project: Path) -> None:
    certain, unsure = ask(c2llm, project, '{"query": "apply ignore rules"}', '{"query": "xyzzy plugh frobnicate"}')
    assert "notes" not in certain
    assert [note.split(":")[0] for note in unsure["notes"]] == ["Nothing certain was found"]


BAD = [
    '{"query": "x", "grep": 7}',
    '{"query": "x", "grep": "("}',
    '{"query": "x", "content": ["prose"]}',
    "",
    "not json",
    "[]",
    "null",
    "{}",
    '{"query": ""}',
    '{"query": "\\u0000"}',
    '{"query": 7}',
    '{"query": "x", "k": 0}',
    '{"query": "x", "k": "many"}',
    '{"query": "x", "k": true}',
    '{"query": "x", "k": 1e99}',
    '{"query": "x", "paths": "app"}',
    '{"query": "x", "kinds": ["novel"]}',
    '{"query": "x", "languages": ["klingon"]}',
    '{"query": "x", "languages": ["\\ud800"]}',
    '{"query": "x", "paths": ["!!"]}',
    '{"query": "x", "paths": ["[z-a]"]}',
    b"\xff\xfe",
    "[" * 100_000,
]


def test_a_bad_line_gets_an_error_and_the_next_one_its_answer(c2llm: Program, project: Path) -> None:
    good = '{"query": "ignore rules"}'
    answers = ask(c2llm, project, *(line for bad in BAD for line in (bad, good)))
    for bad, answer, following in zip(BAD, answers[::2], answers[1::2], strict=True):
        assert set(answer) == {"error"}, bad
        assert following["results"], bad


STRANGE = ['"', "'; DROP TABLE chunks; --", "NEAR(a b)", "*", "🎉", "\x1b[31m", "a:b AND OR NOT", "%s", "\ud800"]


def test_strange_queries_are_answered(c2llm: Program, project: Path) -> None:
    answers = ask(c2llm, project, *(json.dumps({"query": query}) for query in STRANGE))
    assert [set(answer) - {"notes"} for answer in answers] == [{"results"}] * len(STRANGE)


def test_filters_and_long_queries_work(c2llm: Program, project: Path) -> None:
    by_language, by_path, by_kind, long = ask(
        c2llm,
        project,
        '{"query": "job price", "languages": ["go"]}',
        '{"query": "job price", "paths": ["app/**"]}',
        '{"query": "billing", "kinds": ["section"]}',
        json.dumps({"query": "ignore rules " * 10_000}),
    )
    assert {result["path"] for result in by_language["results"]} == {"core/queue.go"}
    assert {result["path"] for result in by_path["results"]} <= {"app/ignore.py", "app/invoices.py"}
    assert {result["path"] for result in by_kind["results"]} == {"README.md"}
    assert long["results"][0]["path"] == "app/ignore.py"


def test_a_tiny_definition_has_its_own_name_and_lines_as_everywhere(c2llm: Program, project: Path) -> None:
    """It shares its chunk with others."""
    rows = [f"def {name}(a):\n    return a\n" for name in ("weigh_parcel", "stamp_parcel", "sort_parcel")]
    (project / "app/parcels.py").write_text("\n".join(rows))
    (answer,) = ask(c2llm, project, '{"query": "stamp_parcel", "k": 1}')
    printed = json.loads(c2llm("search", "stamp_parcel", project, "--json", "-k", "1").out)["results"][0]
    assert {name: printed[name] for name in answer["results"][0]} == answer["results"][0]
    assert [printed[name] for name in ("symbol", "start_line", "end_line")] == ["stamp_parcel", 4, 5]
