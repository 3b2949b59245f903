"""`status`, `doctor`, `clear`, `model` and `bench`: what they say and what they leave alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.program import Program


def test_status_tells_what_is_indexed(c2llm: Program, project: Path) -> None:
    assert "never indexed" in c2llm("status", project).out
    c2llm("index", project)
    text = c2llm("status", project).out
    assert "5 files" in text
    assert "overlap" in text
    found = json.loads(c2llm("status", project, "--json").out)
    assert (found["files"], found["pending_chunks"], found["root"]) == (5, 0, str(project))
    assert found["languages"]["python"] >= 2


@pytest.mark.slow
def test_the_doctor_finds_a_healthy_index_healthy(c2llm: Program, project: Path) -> None:
    c2llm("index", project)
    done = c2llm("doctor", project)
    assert done.code == 0, done.out
    assert "✗" not in done.out
    findings = json.loads(c2llm("doctor", project, "--json").out)["findings"]
    names = {finding["name"] for finding in findings}
    assert {"c2llm", "SQLite", "onnxruntime", "hnswlib", "tree-sitter", "model", "cache", "index", "graph"} <= names
    assert {finding["state"] for finding in findings} <= {"ok", "note", "broken"}


def test_the_doctor_says_what_to_type_before_the_first_index(c2llm: Program, project: Path) -> None:
    done = c2llm("doctor", project)
    assert done.code == 0
    assert "→ c2llm index" in done.out


@pytest.mark.slow
def test_the_doctor_finds_damage_and_a_model_that_does_not_load(c2llm: Program, project: Path) -> None:
    c2llm("index", project)
    (index,) = c2llm.cache.rglob("index.db")
    index.write_bytes(index.read_bytes()[:4096] + b"\xff" * 8192)
    done = c2llm("doctor", project, environ={"C2LLM_ENCODER": "no-such-model"})
    assert done.code == 1
    broken = [line for line in done.out.splitlines() if line.startswith("✗")]
    assert any("index" in line and "damaged" in line for line in broken)
    assert any("no-such-model" in line for line in broken)


def test_clear_deletes_the_index_and_keeps_vectors_and_code(c2llm: Program, project: Path) -> None:
    c2llm("index", project)
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    assert c2llm("clear", project).code == 2  # nobody there to ask
    assert list(c2llm.cache.rglob("index.db"))
    assert c2llm("clear", project, "--yes").code == 0
    assert not list(c2llm.cache.rglob("index.db"))
    report = json.loads(c2llm("index", project, "--json").out)
    assert (report["chunks_embedded"], report["chunks_reused"]) == (0, report["chunks_added"])
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def test_clear_deletes_the_index_of_a_folder_that_is_gone(c2llm: Program, project: Path) -> None:
    c2llm("index", project)
    project.rename(project.with_name("moved"))
    done = c2llm("clear", "project", "--yes", cwd=project.parent)
    assert (done.code, done.out.startswith(f"Deleted the index of {project};")) == (0, True)
    assert not list(c2llm.cache.rglob("index.db"))
    again = c2llm("clear", project, "--yes")
    assert (again.code, "There is no directory" in again.err) == (2, True)


def test_clear_prunes_only_vectors_that_nothing_uses(c2llm: Program, project: Path) -> None:
    c2llm("index", project)
    assert "Deleted 0 vectors" in c2llm("clear", project, "--vectors", "--yes").out
    (project / "core/queue.go").unlink()
    c2llm("index", project)
    assert "Deleted 1 vectors" in c2llm("clear", project, "--vectors", "--yes").out
    assert "ignore.py" in c2llm("search", "apply ignore rules", project).out


def test_clear_all_leaves_what_is_not_its_own(c2llm: Program, project: Path) -> None:
    c2llm("index", project)
    (c2llm.cache / "mine.txt").write_text("keep")
    assert c2llm("clear", "--all", "--yes").code == 0
    assert [path.name for path in c2llm.cache.iterdir()] == ["mine.txt"]
    assert c2llm("clear", "--all", "--yes").code == 1


@pytest.mark.slow
def test_the_model_is_shown_and_set(c2llm: Program, tmp_path: Path) -> None:
    config = {"C2LLM_CONFIG": str(tmp_path / "config.toml"), "C2LLM_ENCODER": ""}
    assert c2llm("model", "use", "overlap", environ=config).code == 0
    shown = json.loads(c2llm("model", "--json", environ=config).out)
    assert (shown["name"], shown["dimension"], shown["set_by"]) == ("overlap", 256, str(tmp_path / "config.toml"))
    failed = c2llm("model", "use", "no-such-model", environ=config)
    assert failed.code == 2
    assert "no-such-model" in failed.err
    assert (tmp_path / "config.toml").read_text() == 'encoder = "overlap"\n'


@pytest.mark.slow
def test_bench_measures_without_touching_the_index_in_use(c2llm: Program, project: Path) -> None:
    done = c2llm("bench", project, "--queries", "5", "--json")
    assert done.code == 0
    measures = {measure["what"] for measure in json.loads(done.out)["measures"]}
    assert {"query, median", "index from nothing"} <= measures
    assert not list(c2llm.cache.rglob("index.db"))
