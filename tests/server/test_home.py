"""Home folders, which some editors name where they know of no project, are not indexed unless their person says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import PROJECT
from tests.cli.program import lay_out
from tests.server.editing import Serve


@pytest.mark.parametrize("above", [False, True])
def test_a_home_folder_and_what_holds_it_are_refused_with_a_sentence(serve: Serve, home: Path, above: bool) -> None:
    lay_out(home / "code", PROJECT)
    client = serve()
    client.initialize(home.parent if above else home)
    said = client.hear("window/showMessage", lambda said: "home folder" in said["message"])
    assert "open the folder of one" in said["message"] and ".c2llm.toml" in said["message"]
    (folder,) = client.status()["folders"]
    assert (folder["state"], folder["freshness"]) == ("failed", None)
    assert "Traceback" not in said["message"]


def test_a_home_folder_with_a_settings_file_is_meant(serve: Serve, home: Path) -> None:
    lay_out(home / "code", PROJECT)
    (home / ".c2llm.toml").write_text('exclude = ["cache/", "*.log"]\n')
    client = serve()
    client.initialize(home)
    client.eventually(lambda: client.finds("apply_ignore_rules", "code/app/ignore.py"))


def test_a_project_in_a_home_folder_is_like_any_other(serve: Serve, home: Path) -> None:
    client = serve()
    client.initialize(lay_out(home / "code", PROJECT))
    client.ready()
    assert client.finds("apply_ignore_rules", "app/ignore.py")
