"""`c2llm search` and `c2llm similar` as people use them: real processes on a small real project."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from c2llm_lsp.cli.options import FilterOptions, filters
from retrieval.globs import PathGlobs
from tests.cli.program import Program
from tests.cli.schema import violations

FIRST = re.compile(r"^([^:]+):(\d+): (.*)$", re.MULTILINE)


def first(output: str) -> tuple[str, int, str]:
    """Path, line and text of the first answer of piped output."""
    found = FIRST.search(output)
    assert found, output
    return found[1], int(found[2]), found[3]


def test_the_first_search_indexes_and_answers(c2llm: Program, project: Path) -> None:
    done = c2llm("search", "apply ignore rules", project)
    assert done.code == 0
    assert first(done.out) == (f"{project}/app/ignore.py", 4, "def apply_ignore_rules(path, rules):")


def test_each_language_is_found(c2llm: Program, project: Path) -> None:
    wanted = {
        "total price of all items": "app/invoices.py",
        "fetch with retry after failed request": "web/retry.ts",
        "add a job to the queue": "core/queue.go",
        "billing monthly": "README.md",
    }
    lines = "".join(json.dumps({"query": query, "k": 1}) + "\n" for query in wanted)
    answers = c2llm("batch", project, stdin=lines).out.splitlines()[1:]
    assert [json.loads(answer)["results"][0]["path"] for answer in answers] == list(wanted.values())


def test_a_later_search_notices_new_changed_and_deleted_files(c2llm: Program, project: Path) -> None:
    c2llm("index", project)
    (project / "app/zebra.py").write_text("def count_zebras():\n    pass\n")
    assert first(c2llm("search", "zebras", project).out)[0] == f"{project}/app/zebra.py"
    (project / "app/zebra.py").write_text("def count_camels():\n    return 1\n")
    assert first(c2llm("search", "camels", project).out)[2] == "def count_camels():"
    (project / "app/zebra.py").unlink()
    assert "zebra.py" not in c2llm("search", "camels", project).out


def test_nothing_found_is_1(c2llm: Program, project: Path) -> None:
    done = c2llm("search", "apply rules", project, "--path", "nowhere/**")
    assert (done.code, done.out) == (1, "")
    assert "Nothing found." in done.err


def test_an_empty_workspace_is_no_error(c2llm: Program, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = c2llm("search", "anything", tmp_path / "empty")
    assert (done.code, done.out) == (1, "")


def test_json_follows_its_schema(c2llm: Program, project: Path) -> None:
    schema = json.loads(c2llm("search", "--json-schema").out)
    done = c2llm("search", "apply ignore rules", project, "--json", "-k", "3")
    answer = json.loads(done.out)
    assert violations(answer, schema) == []
    assert answer["root"] == str(project)
    assert answer["freshness"]["files"] == 5
    assert answer["freshness"]["pending_chunks"] == 0
    assert len(answer["results"]) <= 3
    best = answer["results"][0]
    assert (best["path"], best["symbol"], best["kind"]) == ("app/ignore.py", "apply_ignore_rules", "function")
    lines = (project / best["path"]).read_text().split("\n")
    assert best["text"] == "\n".join(lines[best["start_line"] - 1 : best["end_line"]])
    empty = c2llm("search", "apply", project, "--json", "--path", "nowhere/**")
    assert empty.code == 1
    assert violations(json.loads(empty.out), schema) == []


@pytest.mark.slow
def test_filters_limit_the_answer(c2llm: Program, project: Path) -> None:
    def paths(*options: str) -> set[str]:
        done = c2llm("search", "job price rules retry billing", ".", "--json", *options, cwd=project)
        return {result["path"] for result in json.loads(done.out)["results"]}

    assert paths("--lang", "go") == {"core/queue.go"}
    assert paths("--lang", ".GO,ts") == {"core/queue.go", "web/retry.ts"}
    assert paths("--lang", "go,typescript") == {"core/queue.go", "web/retry.ts"}
    assert paths("--path", "./app/**") == paths("--path", f"{project}/app/*") == {"app/ignore.py", "app/invoices.py"}
    assert paths("--path", "app/**") == {"app/ignore.py", "app/invoices.py"}
    assert paths("--path", "app/**", "--path", "!**/invoices.py") == {"app/ignore.py"}
    assert paths("--kind", "section") == {"README.md"}
    assert paths("--docs") == paths("--docs", "--config") == {"README.md"}
    assert paths("--code-only", "--lang", "go,markdown") == {"core/queue.go"}
    assert paths("--grep", r"^func|^#+ ") == {"core/queue.go", "README.md"}
    assert paths("--grep", r"^func|^#+ ", "--code-only") == {"core/queue.go"}


def test_the_salient_lines_are_those_that_match(c2llm: Program, project: Path) -> None:
    def results(pattern: str) -> list[dict]:
        return json.loads(c2llm("search", "apply rules", project, "--grep", pattern, "--json").out)["results"]

    assert [(hit["path"], hit["salient_lines"]) for hit in results(r"rule\.\w+\(")] == [("app/ignore.py", [7])]
    assert results("no such code") == []


def test_a_pattern_that_is_not_valid_is_an_error_before_anything_is_indexed(c2llm: Program, project: Path) -> None:
    done = c2llm("search", "rules", project, "--grep", "a(b")
    assert (done.code, done.out) == (2, "")
    assert "is not valid at character 2: missing )" in done.err
    assert "is empty" in c2llm("search", "rules", project, "--grep", "").err


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("./app/*", "app/a.py"),
        ("{root}/app/*", "app/a.py"),
        ("{root}/web/", "web/README.md"),
        ("./*.md", "README.md"),
        ("!./app", "README.md web/README.md"),
        ("!{root}/**/*.md", "app/a.py"),
        (".", "README.md app/a.py web/README.md"),
        ("./", "README.md app/a.py web/README.md"),
        ("{root}", "README.md app/a.py web/README.md"),
        ("{root}-too/*", ""),
        (".app", ""),
    ],
)
def test_a_glob_may_begin_where_the_workspace_does(glob: str, found: str) -> None:
    globs = PathGlobs(filters(FilterOptions([glob.format(root="/my/shop")]), root=Path("/my/shop")).paths)
    assert [path for path in ("README.md", "app/a.py", "web/README.md") if globs.match(path)] == found.split()


def test_languages_go_by_name_short_form_and_ending() -> None:
    given = ["JS,ts,py,cpp,C++,rs,golang,c#", ".go", "Go", ".PY", "makefile", "javascriptreact", "sh", "text"]
    named = "javascript typescript python cpp cpp rust go csharp go go python make javascript bash text"
    assert " ".join(filters(FilterOptions(languages=given), root=Path("/")).languages) == named


@pytest.mark.parametrize("name", ["klingon", ".klingon", "..py", "ipynb", b"\xff"])
def test_an_unknown_language_is_an_error_that_lists_them(name: str | bytes, c2llm: Program, project: Path) -> None:
    done = c2llm("search", "x", project, "--lang", os.fsdecode(name))
    assert done.code == 2
    assert "There is no language '" in done.err and "javascript, json" in done.err


def test_an_unknown_kind_is_an_error_that_lists_them(c2llm: Program, project: Path) -> None:
    done = c2llm("search", "x", project, "--kind", "novel")
    assert done.code == 2
    assert "function, method" in done.err


def test_from_a_subfolder_the_repository_is_searched_and_paths_open_from_there(c2llm: Program, project: Path) -> None:
    subprocess.run(["git", "init", "-q", project], check=True)
    done = c2llm("search", "add a job to the queue", cwd=project / "app")
    assert first(done.out)[0] == "../core/queue.go"
    assert first(c2llm("search", "total price", cwd=project / "app").out)[0] == "invoices.py"


def test_the_home_folder_is_not_indexed_by_accident(c2llm: Program) -> None:
    done = c2llm("search", "anything", cwd=c2llm.home)
    assert done.code == 2
    assert "not a project" in done.err


def test_no_wait_answers_from_what_is_there_and_says_so(c2llm: Program, project: Path) -> None:
    before = c2llm("search", "zebras", project, "--no-wait")
    assert before.code == 1
    assert before.err.strip()
    c2llm("index", project)
    (project / "zebra.py").write_text("def zebras():\n    pass\n")
    assert "zebra.py" not in c2llm("search", "zebras", project, "--no-wait").out
    assert "zebra.py" in c2llm("search", "zebras", project).out


def test_explain_shows_each_signal(c2llm: Program, project: Path) -> None:
    names = {
        s["name"] for s in json.loads(c2llm("search", "apply rules", project, "--json").out)["results"][0]["signals"]
    }
    assert names
    text = c2llm("search", "apply rules", project, "--explain").out
    assert all(name in text for name in names)
    assert "score" in text


def test_similar_finds_by_place_and_leaves_the_place_out(c2llm: Program, project: Path) -> None:
    (project / "app/copy.py").write_text((project / "app/ignore.py").read_text().replace("rules", "regulations"))
    done = c2llm("similar", "app/ignore.py:6", ".", cwd=project)
    assert done.code == 0
    assert first(done.out)[0] == "app/copy.py"


def test_similar_finds_by_code_on_standard_input(c2llm: Program, project: Path) -> None:
    code = "function retry(url, attempts) { for (let attempt = 0; attempt < attempts; attempt++) fetch(url) }"
    done = c2llm("similar", "-", project, stdin=code)
    assert first(done.out)[0] == f"{project}/web/retry.ts"


@pytest.mark.parametrize(
    "where", ["app/ignore.py", "app/ignore.py:x", "nope.py:3", "app/ignore.py:0", "-", "/etc/passwd:1"]
)
def test_a_bad_place_is_2(where: str, c2llm: Program, project: Path) -> None:
    done = c2llm("similar", where, ".", cwd=project)
    assert done.code == 2
    assert done.err.startswith("c2llm: ")


def test_quiet_says_nothing_beside_results(c2llm: Program, project: Path) -> None:
    assert c2llm("search", "apply rules", project, "-q").err == ""
    assert c2llm("search", "apply", project, "-q", "--path", "nowhere/**").err == ""


def test_index_reports_what_it_did(c2llm: Program, project: Path) -> None:
    report = json.loads(c2llm("index", project, "--json").out)
    assert report["files_seen"] == 5
    assert report["chunks_embedded"] >= 5
    again = c2llm("index", project)
    assert "nothing changed" in again.out


def test_what_is_left_out_can_be_listed(c2llm: Program, project: Path) -> None:
    (project / "blob.dat").write_bytes(b"\0" * 100)
    (project / ".env").write_text("PASSWORD=hunter2")
    done = c2llm("index", project, "--skipped")
    assert "blob.dat: binary" in done.out
    assert ".env: secret" in done.out
    assert c2llm("search", "hunter2 password", project, "--json").out.count("hunter2") == 1  # the query itself


def test_what_an_earlier_run_left_out_is_listed_too(c2llm: Program, project: Path) -> None:
    (project / "blob.dat").write_bytes(b"\0" * 100)
    (project / "app/.env").write_text("PASSWORD=hunter2")
    (project / ".gitignore").write_text("*.log\n/attic/\n")
    (project / "a.log").write_text("a")
    (project / "attic").mkdir()
    (project / "attic/old.py").write_text("a = 1\n")
    listed = ["app/.env: secret", "blob.dat: binary"]
    c2llm("search", "rules", project)
    for _ in range(2):
        done = c2llm("index", ".", "--skipped", cwd=project)
        assert done.out.splitlines()[1:] == [*listed, "attic/: ignored by .gitignore or the like"]
        assert "1 more is ignored by .gitignore and the like" in done.err
    skipped = json.loads(c2llm("index", project, "--json").out)["skipped"]
    assert [f"{skip['path']}: {skip['reason']}" for skip in skipped] == listed


def test_settings_of_the_workspace_are_honoured(c2llm: Program, project: Path) -> None:
    (project / ".c2llm.toml").write_text('exclude = ["core/"]\nmax_file_bytes = 1000\ncache_dir = "/tmp/elsewhere"\n')
    (project / "big.py").write_text("x = 1\n" * 400)
    done = c2llm("search", "add a job to the queue", project)
    assert "queue.go" not in done.out
    assert "may not set 'cache_dir'" in done.err
    assert "big.py" in c2llm("index", project, "--skipped").out


class TestOnATerminal:
    def test_results_have_colours_and_links(self, c2llm: Program, project: Path) -> None:
        done = c2llm.on_terminal("search", "apply ignore rules", project)
        assert "\x1b]8;" in done.out
        assert f"file://{project}/app/ignore.py" in done.out
        assert "\x1b[" in done.out

    def test_no_color_is_respected(self, c2llm: Program, project: Path) -> None:
        done = c2llm.on_terminal("search", "apply ignore rules", project, NO_COLOR="1")
        assert not re.search(r"\x1b\[[0-9;]*3[0-9][;m]", done.out)
        assert not re.search(r"\x1b\[[0-9;]*9[0-7][;m]", done.out)

    def test_force_color_colours_a_pipe(self, c2llm: Program, project: Path) -> None:
        done = c2llm("search", "apply ignore rules", project, environ={"FORCE_COLOR": "1", "TERM": "xterm-256color"})
        assert "\x1b[" in done.out

    def test_an_error_is_one_red_sentence(self, c2llm: Program, tmp_path: Path) -> None:
        done = c2llm.on_terminal("search", "x", tmp_path / "nope")
        assert done.code == 2
        assert done.out.startswith("\x1b[31mc2llm: There is no directory")

    def test_a_pipe_gets_no_escape(self, c2llm: Program, project: Path) -> None:
        (project / "app/evil.py").write_text("def evil():\n    '\x1b]0;owned\x07 evil \x1b[31m'\n")
        for options in ([], ["-C", "3"], ["--explain"], ["--json"]):
            assert "\x1b" not in c2llm("search", "evil", project, *options).out


def test_a_part_of_the_workspace_is_searched(c2llm: Program, project: Path) -> None:
    def paths(*options: str, cwd: Path) -> set[str]:
        done = c2llm("search", "rules price retry queue", "--json", *options, cwd=cwd)
        return {result["path"] for result in json.loads(done.out)["results"]}

    everything = paths(cwd=project)
    (project / ".git").mkdir()
    assert len(everything) > 3
    assert paths("--in", "folder", cwd=project / "app") == {path for path in everything if path.startswith("app/")}
    assert paths("--in", "folder,no-tests", cwd=project) == everything
    wrong = c2llm("search", "x", "--in", "novel", cwd=project)
    assert wrong.code == 2 and "scopes are folder, package" in wrong.err
