"""`c2llm team` with a real PostgreSQL: from an empty database to a colleague's index, and what each role may do."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from retrieval.errors import TeamVectorsError
from retrieval.team import PATIENT, Connection, Publisher, collect, parse, roles_sql
from tests.cli.program import Program
from tests.engine.indexed import write_project
from tests.team.postgres import PASSWORD, Postgres

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_project(tmp_path / "project", 6)
    return tmp_path / "project"


@pytest.fixture
def roles(postgres: Postgres, database: str) -> str:
    """A database in which `alice` may fetch and `ci` publish."""
    if not postgres.sql("SELECT 1 FROM pg_roles WHERE rolname = 'ci'"):
        postgres.sql("CREATE ROLE ci LOGIN")
    sql = roles_sql(f"{database}_reader", f'{database} "publisher"')
    postgres.sql(sql, database)
    postgres.sql(f'GRANT {database}_reader TO alice; GRANT "{database} ""publisher""" TO ci', database)
    return database


def test_from_nothing_to_a_colleague_who_embeds_nothing(
    postgres: Postgres, empty: str, c2llm: Program, project: Path
) -> None:
    url = postgres.url(empty)
    setting = {"C2LLM_SHARED_VECTORS": url}
    before = c2llm("team", "status", "--database", url)
    assert (before.code, "c2llm team init" in before.err) == (2, True)
    assert "version 1" in c2llm("team", "init", environ=setting).out
    assert "already" in c2llm("team", "init", environ=setting).out
    published = json.loads(c2llm("team", "publish", project, "--json", environ=setting).out)
    assert published["sent"] == published["vectors"] == published["embedded"] > 0
    assert json.loads(c2llm("team", "publish", project, "--json", environ=setting).out)["sent"] == 0
    status = json.loads(c2llm("team", "status", "--json", environ=setting).out)
    assert (status["vectors"], status["may_publish"]) == (published["vectors"], True)
    metrics = c2llm("team", "status", "--metrics", environ=setting).out
    assert f'c2llm_team_vectors{{encoder="{status["encoders"][0]["fingerprint"]}"}} {published["vectors"]}\n' in metrics
    colleague = {**setting, "C2LLM_CACHE_DIR": str(c2llm.home / "colleague")}
    report = json.loads(c2llm("index", project, "--json", environ=colleague).out)
    assert (report["chunks_fetched"], report["chunks_embedded"]) == (published["vectors"], 0)
    stored = str(postgres.sql("SELECT * FROM c2llm.meta, c2llm.encoders", empty))
    assert str(project) not in stored
    assert "overlap" in stored  # the fingerprint


def test_a_file_of_the_workspace_cannot_name_a_database(
    postgres: Postgres, database: str, c2llm: Program, project: Path
) -> None:
    (project / ".c2llm.toml").write_text(f'shared_vectors = "{postgres.url(database)}"\n')
    done = c2llm("index", project)
    assert "may not set 'shared_vectors'" in done.err
    assert "fetched" not in done.out
    assert c2llm("team", "publish", project).code == 2


def test_a_reader_fetches_and_cannot_write(postgres: Postgres, roles: str, c2llm: Program, project: Path) -> None:
    c2llm("team", "publish", project, "--database", postgres.url(roles, "ci"))
    postgres.sql("UPDATE c2llm.vectors SET used = current_date - 30", roles)
    alice = {
        "C2LLM_SHARED_VECTORS": postgres.url(roles, "alice"),
        "PGPASSWORD": PASSWORD,
        "C2LLM_CACHE_DIR": str(c2llm.home / "alice"),
    }
    report = json.loads(c2llm("index", project, "--json", environ=alice).out)
    assert report["chunks_fetched"] > 0
    assert report["notes"] == []
    assert postgres.sql("SELECT count(*) FROM c2llm.vectors WHERE used < current_date", roles) == [(0,)]
    assert "you may fetch\n" in c2llm("team", "status", environ=alice).out
    other = project.parent / "other"
    write_project(other, 9)
    refused = c2llm("team", "publish", other, environ=alice)
    assert (refused.code, "does not allow this user" in refused.err) == (2, True)
    assert c2llm("team", "gc", environ=alice).code == 2
    said = refused.out + refused.err
    assert PASSWORD not in said


def test_a_publisher_cannot_change_or_delete(postgres: Postgres, roles: str) -> None:
    with Publisher(parse(postgres.url(roles, "ci")), "f", 4, PATIENT) as publisher:
        assert publisher.missing([b"0" * 16]) == [b"0" * 16]
    connection = Connection(parse(postgres.url(roles, "ci")), PATIENT)
    for sql in ("UPDATE c2llm.vectors SET data = ''", "DELETE FROM c2llm.vectors", "DELETE FROM c2llm.encoders"):
        with pytest.raises(TeamVectorsError, match="does not allow this user"):
            connection.ask(lambda database, sql=sql: database.execute(sql.encode()))  # type: ignore[misc]


def test_a_wrong_password_is_not_shown(postgres: Postgres, roles: str, c2llm: Program, project: Path) -> None:
    wrong = {"C2LLM_SHARED_VECTORS": postgres.url(roles, "alice"), "PGPASSWORD": "hunter2"}
    done = c2llm("index", project, environ=wrong)
    assert (done.code, "refuses" in done.err) == (0, True)
    assert "hunter2" not in done.out + done.err
    in_address = postgres.url(roles).replace("postgres@", "alice:hunter2@")
    for command in (("index", project), ("team", "status"), ("status", project), ("doctor", project)):
        done = c2llm(*command, environ={"C2LLM_SHARED_VECTORS": in_address})
        assert "hunter2" not in done.out + done.err


def test_gc_deletes_what_nobody_uses(postgres: Postgres, database: str, c2llm: Program, project: Path) -> None:
    url = postgres.url(database)
    c2llm("team", "publish", project, "--database", url)
    [(total,)] = postgres.sql("SELECT count(*) FROM c2llm.vectors", database)
    postgres.sql("UPDATE c2llm.vectors SET used = current_date - 100 WHERE get_byte(passage, 0) < 100", database)
    [(old,)] = postgres.sql("SELECT count(*) FROM c2llm.vectors WHERE used < current_date - 90", database)
    assert 0 < old < total
    assert f"{old} vectors would be deleted" in c2llm("team", "gc", "--dry-run", "--database", url).out
    connection = Connection(parse(url), PATIENT)
    assert collect(connection, 90, fingerprint="another") == 0
    assert f"{old} vectors deleted" in c2llm("team", "gc", "--database", url).out
    assert postgres.sql("SELECT count(*) FROM c2llm.vectors", database) == [(total - old,)]
    sent = json.loads(c2llm("team", "publish", project, "--json", "--database", url).out)
    assert sent["sent"] == old
    postgres.sql(
        "UPDATE c2llm.vectors SET used = '2020-01-01'; UPDATE c2llm.encoders SET made = '2020-01-01'", database
    )
    assert collect(connection, 90) == total
    assert postgres.sql("SELECT count(*) FROM c2llm.encoders", database) == [(0,)]


def test_a_disk_without_room_keeps_what_was_sent(
    postgres: Postgres, database: str, c2llm: Program, project: Path
) -> None:
    url = postgres.url(database)
    postgres.sql(
        """CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;
           CREATE TRIGGER full_disk BEFORE INSERT ON c2llm.vectors FOR EACH ROW EXECUTE FUNCTION full_disk()""",
        database,
    )
    done = c2llm("team", "publish", project, "--database", url)
    assert (done.code, "no disk space left" in done.err) == (2, True)
    postgres.sql("DROP TRIGGER full_disk ON c2llm.vectors", database)
    assert json.loads(c2llm("team", "publish", project, "--json", "--database", url).out)["sent"] > 0


def test_tables_of_a_newer_version_are_left_alone(postgres: Postgres, database: str, c2llm: Program) -> None:
    postgres.sql("UPDATE c2llm.meta SET value = '7'", database)
    for command in ("status", "init", "gc"):
        done = c2llm("team", command, "--database", postgres.url(database))
        assert (done.code, "upgrade c2llm-lsp" in done.err) == (2, True)
    assert postgres.sql("SELECT value FROM c2llm.meta", database) == [("7",)]


def test_without_psycopg_it_says_what_to_install(c2llm: Program, project: Path, tmp_path: Path) -> None:
    (tmp_path / "hidden" / "psycopg").mkdir(parents=True)
    (tmp_path / "hidden" / "psycopg" / "__init__.py").write_text("raise ImportError('hidden')\n")
    path = f"{tmp_path / 'hidden'}{os.pathsep}{c2llm.environment()['PYTHONPATH']}"
    hidden = {"PYTHONPATH": path, "C2LLM_SHARED_VECTORS": "postgresql://127.0.0.1/x"}
    done = c2llm("index", project, environ=hidden)
    assert (done.code, "pip install 'c2llm-lsp[team]'" in done.err) == (0, True)
    assert c2llm("team", "status", environ=hidden).code == 2
