"""Whatever is wrong with the input, the answer is a sentence and an exit code, never a traceback."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest

from c2llm_lsp.cli.location import parse_location
from retrieval.errors import QueryError
from tests.cli.program import Program
from tests.patience import PATIENCE

as_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")


def test_no_arguments_shows_help(c2llm: Program) -> None:
    done = c2llm()
    assert done.code == 2
    assert "Usage" in done.out + done.err


def test_a_mistyped_command_suggests_the_right_one(c2llm: Program) -> None:
    done = c2llm("serach", "x")
    assert done.code == 2
    assert "search" in done.err


@pytest.mark.parametrize("query", ["", "   ", "\n\t"])
def test_an_empty_query_is_an_error(query: str, c2llm: Program, project: Path) -> None:
    done = c2llm("search", query, project)
    assert done.code == 2
    assert "empty" in done.err


def test_a_query_of_100000_characters_is_answered(c2llm: Program, project: Path) -> None:
    done = c2llm("search", "apply ignore rules " * 5264, project)
    assert done.code == 0
    assert "ignore.py" in done.out


def test_a_path_that_is_not_there(c2llm: Program, tmp_path: Path) -> None:
    for command in (["search", "x"], ["watch"]):
        done = c2llm(*command, tmp_path / "nope")
        assert done.code == 2, command
        assert "There is no directory" in done.err


def test_a_path_that_is_a_file(c2llm: Program, project: Path) -> None:
    done = c2llm("search", "x", project / "README.md")
    assert done.code == 2
    assert "is a file" in done.err


def test_a_loop_of_links(c2llm: Program, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert c2llm("search", "x", tmp_path / "loop").code == 2


@as_root
def test_a_directory_without_permission(c2llm: Program, project: Path) -> None:
    project.chmod(0)
    try:
        done = c2llm("search", "x", project)
    finally:
        project.chmod(0o755)
    assert done.code == 2
    assert "permission" in done.err.lower()


def test_hostile_files_are_skipped_and_the_rest_is_found(c2llm: Program, project: Path) -> None:
    (project / "nul.py").write_bytes(b"\0" * 10_000)
    with (project / "huge.py").open("wb") as huge:
        huge.truncate(2 << 30)
    os.mkfifo(project / "pipe.py")
    (project / "loop").symlink_to(project)
    (project / "out.py").symlink_to("/etc/passwd")
    (project / "latin.py").write_bytes("# größe der schlange\n".encode("latin-1"))
    (project / "crlf.py").write_bytes(b"def crlf_giraffe():\r\n    pass\r\n")
    (project / "broken.py").write_text("def broken(:\n  ((((((")
    done = c2llm("index", project, "--skipped")
    assert done.code == 0
    assert "huge.py: too large" in done.out
    assert "nul.py: binary" in done.out
    assert "crlf.py:1: def crlf_giraffe():" in c2llm("search", "giraffe", project).out
    assert "größe" in c2llm("search", "größe der schlange", project).out


@pytest.mark.parametrize(
    "variable, value",
    [("C2LLM_RESULTS", "many"), ("C2LLM_ENCODER", "no-such-model"), ("C2LLM_CONFIG", "/proc/self/mem")],
)
def test_a_bad_setting_is_an_error(variable: str, value: str, c2llm: Program, project: Path) -> None:
    done = c2llm("search", "x", project, environ={variable: value})
    assert done.code == 2
    assert done.err.startswith("c2llm: ")


def test_a_cache_folder_that_is_a_file(c2llm: Program, project: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = c2llm("search", "x", project, environ={"C2LLM_CACHE_DIR": str(tmp_path / "file")})
    assert done.code == 2
    assert done.err.startswith("c2llm: ")


HOSTILE = "x\x1b]52;c;cm0gLXJmIH4=\x07\nok.py: binary\u202e"


@pytest.mark.slow
def test_no_name_of_a_file_or_setting_commands_the_terminal(c2llm: Program, tmp_path: Path) -> None:
    root = tmp_path / HOSTILE
    root.mkdir()
    (root / f"{HOSTILE}.dat").write_bytes(b"\0" * 10)
    (root / ".c2llm.toml").write_text('"\\u001b]52;c;cm0gLXJmIH4=\\u0007\\nok" = 1\n')
    for command in (
        ["index", "--skipped"],
        ["status"],
        ["doctor"],
        ["search", "x"],
        ["clear"],
        ["clear", "-y"],
        ["clear"],
    ):
        done = c2llm(*command, root)
        lines = (done.out + done.err).splitlines()
        assert all(line.isprintable() for line in lines), command
        assert not any(line.startswith("ok") for line in lines), command
    assert not c2llm("search", "x", root / HOSTILE).err.rstrip("\n").count("\n")


@pytest.mark.parametrize("command", ["similar", "explain", "context"])
def test_a_file_name_that_is_not_utf_8_is_an_error(command: str, c2llm: Program, project: Path) -> None:
    name = os.fsdecode(b"bad\xff.py")
    (project / name).write_text("x = 1\n")
    done = c2llm(command, f"{name}:1", ".", cwd=project)
    assert (done.code, done.out) == (2, "")
    assert "is not UTF-8" in done.err


def test_a_query_that_is_not_utf_8_is_answered(c2llm: Program, project: Path) -> None:
    assert c2llm("search", os.fsdecode(b"ignore rules \xff"), project).code == 0


@pytest.mark.parametrize("glob", ["!!", "[z-a]", "\\"])
def test_a_glob_that_matches_nothing_at_all_is_an_error(glob: str, c2llm: Program, project: Path) -> None:
    done = c2llm("search", "x", project, "--path", glob)
    assert (done.code, "is not a valid glob" in done.err) == (2, True)


@pytest.mark.parametrize("command", ["similar", "explain", "context"])
def test_a_line_past_the_end_is_an_error(command: str, c2llm: Program, project: Path) -> None:
    done = c2llm(command, "app/ignore.py:10", ".", cwd=project)
    assert (done.code, done.err) == (2, "c2llm: app/ignore.py has 9 lines.\n")


@pytest.mark.parametrize(
    ("content", "lines"), [(b"", 1), (b"a", 1), (b"a\n", 1), (b"a\r\nb\r\n", 2), (b"a\nb", 2), (b"\n\n", 2)]
)
def test_a_last_line_counts_with_and_without_its_end(content: bytes, lines: int, tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(content)
    assert parse_location(f"{file}:{lines}").start == lines
    with pytest.raises(QueryError, match=r"a\.py has [012] lines?\."):
        parse_location(f"{file}:{lines + 1}")


@pytest.mark.parametrize("damage", ["not a database", ""])
def test_a_damaged_index_is_made_anew(damage: str, c2llm: Program, project: Path) -> None:
    c2llm("index", project)
    for database in c2llm.cache.rglob("*.db"):
        database.write_text(damage)
        for log in (database.with_name(database.name + "-wal"), database.with_name(database.name + "-shm")):
            log.unlink(missing_ok=True)
    done = c2llm("search", "apply ignore rules", project)
    assert done.code == 0
    assert "ignore.py" in done.out


def test_an_index_of_a_newer_version_is_left_alone(c2llm: Program, project: Path) -> None:
    c2llm("index", project)
    (index,) = c2llm.cache.rglob("index.db")
    with sqlite3.connect(index) as database:
        database.execute("PRAGMA user_version = 9999")
        database.execute("UPDATE meta SET value = 9999 WHERE key LIKE '%version%'")
    database.close()
    before = index.read_bytes()
    done = c2llm("search", "x", project)
    assert done.code == 2
    assert "newer" in done.err
    assert index.read_bytes() == before


def test_a_reader_that_goes_away_is_no_error(c2llm: Program, project: Path) -> None:
    c2llm("index", project)
    process = c2llm.start("search", "apply rules price job", project, "-C", "1000")
    assert process.stdout and process.stderr
    process.stdout.close()
    assert process.wait(PATIENCE) == 141
    assert process.stderr.read() == ""
    process.stderr.close()


def test_an_interrupt_ends_with_130_and_keeps_what_is_done(c2llm: Program, project: Path) -> None:
    process = c2llm.start("batch", project)
    assert process.stdout and process.stderr and process.stdin
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130  # before standard input is closed, which would end it too
    _, err = process.communicate()
    assert "Traceback" not in err


def test_the_debug_variable_shows_the_traceback(c2llm: Program, tmp_path: Path) -> None:
    done = subprocess.run(
        c2llm.command("search", "x", tmp_path / "nope"),
        env=c2llm.environment(C2LLM_DEBUG="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" in done.stderr
