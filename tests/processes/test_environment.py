"""The environment of child processes and the search paths of this one, for all kinds of workspaces and variables."""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.processes import environment, helpers
from retrieval.processes.environment import (
    child_environment,
    exclude_workspace,
    find_program,
    import_path,
    isolate_this_process,
)
from tests.patience import PATIENCE

PACKAGE_ROOT = str(Path(environment.__file__).parents[2])


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The import path, PATH and the workspaces as they were."""
    monkeypatch.setattr(environment, "_workspaces", ())
    monkeypatch.setenv("PATH", os.environ["PATH"])
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    before = list(sys.path)
    yield
    sys.path[:] = before


def workspace(folder: Path) -> Path:
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin" / "tool"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    return folder


def test_modules_are_not_imported_from_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m`, an empty and a relative entry of PYTHONPATH, which Python makes absolute before we see them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", "src", "/opt/modules"]))
    sys.path[:0] = [str(tmp_path), str(tmp_path / "src"), "/opt/modules", "", "src"]
    isolate_this_process()
    assert not {str(tmp_path), str(tmp_path / "src"), "", "src"} & set(sys.path)
    assert "/opt/modules" in sys.path


def test_modules_are_not_imported_from_the_repository_around_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = workspace(tmp_path / "project")
    (folder / ".git").mkdir()
    monkeypatch.chdir(folder / "bin")
    sys.path[:0] = [str(folder), str(folder / "src"), str(tmp_path)]
    isolate_this_process()
    assert not {str(folder), str(folder / "src")} & set(sys.path)
    assert str(tmp_path) in sys.path


def test_modules_of_an_open_workspace_are_not_found(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "project")
    folder = workspace(tmp_path / "project")
    sys.path[:0] = [str(folder / "src"), str(link / "lib"), str(tmp_path / "projects")]
    exclude_workspace(folder)
    for path in (sys.path, import_path()):
        assert not {str(folder / "src"), str(link / "lib")} & set(path)
        assert str(tmp_path / "projects") in path


def test_the_interpreter_of_a_workspace_keeps_working(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person who runs `.venv/bin/c2llm` has chosen it."""
    packages = str(tmp_path / ".venv" / "site-packages")
    monkeypatch.setattr(site, "getsitepackages", lambda: [packages])
    sys.path.insert(0, packages)
    exclude_workspace(tmp_path)
    assert packages in sys.path


def test_a_checkout_of_this_package_that_is_the_workspace_comes_last() -> None:
    sys.path.insert(0, PACKAGE_ROOT)
    exclude_workspace(PACKAGE_ROOT)
    assert sys.path.index(PACKAGE_ROOT) == len(sys.path) - 1


def test_programs_come_from_absolute_folders_outside_workspaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, tools = workspace(tmp_path / "project"), workspace(tmp_path / "tools")
    (tmp_path / "links").symlink_to(folder / "bin")
    entries = [".", "", "bin", str(folder / "bin"), str(tmp_path / "links"), str(tools / "bin")]
    monkeypatch.setenv("PATH", os.pathsep.join(entries))
    monkeypatch.chdir(folder)
    exclude_workspace(folder)
    assert find_program("tool") == str(tools / "bin" / "tool")
    assert os.environ["PATH"] == child_environment()["PATH"] == str(tools / "bin")


@pytest.mark.parametrize("path", ["", ".", ":", ".:bin"])
def test_an_empty_path_falls_back_to_the_system_path(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty PATH would mean the current directory."""
    monkeypatch.setenv("PATH", path)
    monkeypatch.chdir(workspace(tmp_path / "project") / "bin")
    isolate_this_process()
    assert find_program("tool") is None
    assert all(Path(entry).is_absolute() for entry in os.environ["PATH"].split(os.pathsep))


def test_a_home_folder_as_workspace_keeps_the_programs_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = workspace(tmp_path / "home")
    monkeypatch.setenv("PATH", str(home / "bin"))
    exclude_workspace(home)
    assert find_program("tool") == str(home / "bin" / "tool")


def test_child_processes_get_no_variable_that_loads_code_of_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = workspace(tmp_path / "project")
    for name in ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT", "GIT_DIR", "GIT_EXTERNAL_DIFF", "PWD"):
        monkeypatch.setenv(name, str(folder))
    for name in ("LD_LIBRARY_PATH", "OPENSSL_CONF", "GCONV_PATH"):
        monkeypatch.setenv(name, os.pathsep.join(["", "lib", str(folder / "lib"), "/opt/lib"]))
    monkeypatch.setenv("OPENSSL_MODULES", str(folder))
    monkeypatch.setenv("C2LLM_THREADS", "3")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:1")
    exclude_workspace(folder)
    environment_variables = child_environment()
    assert not [
        name
        for name in environment_variables
        if name.startswith(("PYTHON", "GIT_")) or name in ("PWD", "OPENSSL_MODULES")
    ]
    assert {environment_variables[name] for name in ("LD_LIBRARY_PATH", "OPENSSL_CONF", "GCONV_PATH")} == {"/opt/lib"}
    assert (environment_variables["C2LLM_THREADS"], environment_variables["HTTPS_PROXY"]) == ("3", "http://proxy:1")


def test_a_child_process_runs_in_a_safe_folder_with_the_same_import_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sys.path.insert(0, "")
    (tmp_path / "numpy.py").write_text("raise SystemExit('a module of the workspace')")
    code = (
        "import os, numpy, retrieval; print(os.getcwd(), sys.flags.isolated, numpy.__version__, *sys.path, sep='\\n')"
    )
    outcome = helpers.run(code, seconds=PATIENCE)
    folder, isolated, _, *path = outcome.out.splitlines()
    assert (outcome.code, isolated, folder) == (0, "1", environment.SAFE_FOLDER), outcome.err
    assert path == import_path()
    assert str(tmp_path) not in path


def test_a_tool_that_is_not_on_the_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no-such-tool is not on the PATH"):
        helpers.run_tool("no-such-tool", [], folder=tmp_path)
