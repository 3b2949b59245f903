"""Where settings come from, who wins, and what a hostile workspace cannot do with them."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest

from c2llm_lsp.settings import MAX_CONFIG_BYTES, SCHEMA, WORKSPACE_FILE, Settings, config_file, load, save
from retrieval.errors import SettingsError
from retrieval.files import MAX_BYTES


@pytest.fixture
def user(tmp_path: Path) -> dict[str, str]:
    """An environment whose user's file is empty so far."""
    return {"C2LLM_CONFIG": str(tmp_path / "config.toml")}


def write(path: str | Path, text: str) -> None:
    Path(path).write_text(text, encoding="utf-8")


def test_each_field_is_described_and_used_by_something() -> None:
    assert [setting.name for setting in SCHEMA] == [field.name for field in fields(Settings)]
    assert all(setting.help.endswith(".") and setting.used_by for setting in SCHEMA)


def test_the_size_limit_is_that_of_the_engine() -> None:
    assert Settings().max_file_bytes == MAX_BYTES


def test_defaults_hold_where_nothing_is_set(user: dict[str, str], tmp_path: Path) -> None:
    loaded = load(tmp_path, environ=user)
    assert (loaded.settings, loaded.sources, loaded.warnings) == (Settings(), {}, ())


def test_workspace_beats_user_and_environment_beats_workspace_and_command_line_beats_all(
    user: dict[str, str], tmp_path: Path
) -> None:
    write(user["C2LLM_CONFIG"], "max_file_bytes = 2000\nresults = 3\n")
    assert load(tmp_path, environ=user).settings.max_file_bytes == 2000
    write(tmp_path / WORKSPACE_FILE, "max_file_bytes = 3000\n")
    assert load(tmp_path, environ=user).settings.max_file_bytes == 3000
    user["C2LLM_MAX_FILE_BYTES"] = "4000"
    assert load(tmp_path, environ=user).settings.max_file_bytes == 4000
    chosen = load(tmp_path, environ=user, overrides={"max_file_bytes": 5000, "results": None})
    assert chosen.settings.max_file_bytes == 5000
    assert chosen.settings.results == 3
    assert chosen.sources == {"max_file_bytes": "the command line", "results": user["C2LLM_CONFIG"]}


def test_lists_add_up(user: dict[str, str], tmp_path: Path) -> None:
    write(user["C2LLM_CONFIG"], 'exclude = ["*.sql"]\n')
    write(tmp_path / WORKSPACE_FILE, 'exclude = ["fixtures/"]\n')
    user["C2LLM_EXCLUDE"] = "a/, b/"
    assert load(tmp_path, environ=user).settings.exclude == ("*.sql", "fixtures/", "a/", "b/")


@pytest.mark.parametrize("name", [setting.name for setting in SCHEMA if not setting.in_workspace])
def test_a_workspace_cannot_set_what_could_harm(name: str, user: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path / WORKSPACE_FILE, f'{name} = "/elsewhere"\n')
    loaded = load(tmp_path, environ=user)
    assert loaded.settings == Settings()
    assert f"may not set '{name}'" in loaded.warnings[0]


def test_a_key_of_a_workspace_is_shown_without_its_control_characters(user: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path / WORKSPACE_FILE, '"\\u001b]52;c;cm0gLXJmIH4=\\u0007\\n" = 1\n')
    (warning,) = load(tmp_path, environ=user).warnings
    assert warning.isprintable() and r"\x1b]52" in warning


@pytest.mark.parametrize(
    "content",
    [
        "this is not toml",
        "max_file_bytes = 1e3",
        "max_file_bytes = 999999999999",
        "max_file_bytes = true",
        "exclude = [1, 2]",
        'exclude = "a"',
        "a = " + "[" * 10_000,
        "#" * (MAX_CONFIG_BYTES + 1),
        "\0",
    ],
)
def test_a_bad_workspace_file_is_a_warning_and_no_more(content: str, user: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path / WORKSPACE_FILE, content)
    loaded = load(tmp_path, environ=user)
    assert loaded.settings == Settings()
    assert len(loaded.warnings) == 1


def test_a_workspace_file_that_is_a_link_or_a_fifo_is_not_opened(user: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path / "secret", "max_file_bytes = 2000")
    (tmp_path / WORKSPACE_FILE).symlink_to(tmp_path / "secret")
    assert load(tmp_path, environ=user).settings == Settings()
    (tmp_path / WORKSPACE_FILE).unlink()
    os.mkfifo(tmp_path / WORKSPACE_FILE)
    assert "regular file" in load(tmp_path, environ=user).warnings[0]


@pytest.mark.parametrize(
    "variable, value",
    [("C2LLM_RESULTS", "many"), ("C2LLM_RESULTS", "0"), ("C2LLM_THREADS", "-1"), ("C2LLM_THREADS", "9" * 30)],
)
def test_a_bad_variable_is_an_error_that_names_it(variable: str, value: str, user: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=variable):
        load(None, environ={**user, variable: value})


@pytest.mark.parametrize("content", ["resluts = 3", "results = 'x'", "results ="])
def test_a_mistake_in_the_users_file_is_an_error_that_names_it(content: str, user: dict[str, str]) -> None:
    write(user["C2LLM_CONFIG"], content)
    with pytest.raises(SettingsError, match=r"config\.toml"):
        load(None, environ=user)


def test_a_users_file_that_is_a_device_or_huge_is_an_error_that_names_it(user: dict[str, str]) -> None:
    path = config_file(user)
    write(path, "# " + "x" * MAX_CONFIG_BYTES)
    for _ in range(2):
        with pytest.raises(SettingsError, match=r"config\.toml"):
            load(None, environ=user)
        with pytest.raises(SettingsError, match=r"config\.toml"):
            save("encoder", "overlap", path=path)
        if not Path("/dev/zero").exists():
            return
        path.unlink()
        path.symlink_to("/dev/zero")


def test_saving_keeps_the_other_lines(user: dict[str, str]) -> None:
    path = config_file(user)
    write(path, '# mine\nresults = 3\nencoder = "old" # why\nthreads = 2\n')
    save("encoder", 'C:\\models\\"a"', path=path)
    assert load(None, environ=user).settings == Settings(encoder='C:\\models\\"a"', results=3, threads=2)
    assert path.read_text().startswith("# mine\nresults = 3\n")


def test_saving_makes_the_file_and_goes_before_a_table(user: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "deep" / "config.toml"
    save("encoder", "overlap", path=path)
    assert path.read_text() == 'encoder = "overlap"\n'
    write(path, "[table]\n")
    save("encoder", "overlap", path=path)
    assert path.read_text() == 'encoder = "overlap"\n[table]\n'
