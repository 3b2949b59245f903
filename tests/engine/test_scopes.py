"""The scope of a query: a folder, a package, what is open, what is changed, no tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.engine.scopes import ELSEWHERE, NO_REPOSITORY, NOTHING_CHANGED, NOTHING_OPEN, package_of
from retrieval.errors import QueryError
from retrieval.structure import SymbolRequest
from retrieval.types import Filters, SearchRequest, SearchScope, SimilarRequest
from tests.files.test_git_index import git, repository

PARSE = "def parse_{0}(line):\n    return line.split('{0}')\n"
FILES = ("app/comma.py", "app/deep/colon.py", "web/dash.py", "tests/test_comma.py", "top.py")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = repository(tmp_path / "project")
    for path in FILES:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(PARSE.format(Path(path).stem))
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    return root


@pytest.fixture
def workspace(root: Path, tmp_path: Path) -> Workspace:
    workspace = Workspace.open(root, encoder=OverlapEncoder(), cache_dir=tmp_path / "cache")
    workspace.refresh()
    return workspace


def paths(
    workspace: Workspace,
    *within: str,
    folder: str | None = "",
    open_files: tuple[str, ...] = (),
    globs: tuple[str, ...] = (),
) -> set[str]:
    filters = Filters(paths=globs, scope=SearchScope(within, folder, open_files))
    answer = workspace.search(SearchRequest("parse a line", filters))
    return {hit.chunk.path for hit in answer.hits}


def notes(workspace: Workspace, *within: str, folder: str | None = "") -> tuple[str, ...]:
    return workspace.search(SearchRequest("parse", Filters(scope=SearchScope(within, folder)))).notes


def test_a_folder_has_what_is_below_it(workspace: Workspace) -> None:
    assert paths(workspace, "folder", folder="app") == {"app/comma.py", "app/deep/colon.py"}
    assert paths(workspace, "folder", folder="app/deep") == {"app/deep/colon.py"}
    assert paths(workspace, "folder", folder="ap") == set()
    assert paths(workspace, "folder", folder="") == set(FILES)
    assert paths(workspace, "folder", folder="app", globs=("!deep",)) == {"app/comma.py"}
    assert paths(workspace, "folder", folder=None) == set()
    assert ELSEWHERE in notes(workspace, "folder", folder=None)


def test_open_files_count_with_what_is_not_saved(workspace: Workspace) -> None:
    workspace.set_buffer("web/dash.py", "def parse_header(line):\n    return line\n")
    assert paths(workspace, "open", open_files=("web/dash.py", "top.py", "none.py")) == {"web/dash.py", "top.py"}
    assert NOTHING_OPEN in notes(workspace, "open")


def test_tests_are_left_out(workspace: Workspace) -> None:
    assert paths(workspace, "no-tests") == set(FILES) - {"tests/test_comma.py"}


def test_changed_files_follow_edits_and_commits(workspace: Workspace, root: Path) -> None:
    assert paths(workspace, "changed") == set()
    assert NOTHING_CHANGED in notes(workspace, "changed")
    (root / "web/dash.py").write_text(PARSE.format("dashes"))
    (root / "tests/test_new.py").write_text(PARSE.format("new"))
    workspace.refresh()
    assert paths(workspace, "changed") == {"web/dash.py", "tests/test_new.py"}
    assert paths(workspace, "changed", "no-tests") == {"web/dash.py"}
    assert paths(workspace, "changed", "open", open_files=("tests/test_new.py", "top.py")) == {"tests/test_new.py"}
    assert NOTHING_CHANGED not in notes(workspace, "changed")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "second")
    assert paths(workspace, "changed") == set()


def test_without_a_repository_nothing_is_known_to_be_changed(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain/a.py").write_text(PARSE.format("a"))
    with Workspace.open(tmp_path / "plain", encoder=OverlapEncoder(), cache_dir=tmp_path / "cache") as workspace:
        workspace.refresh()
        assert paths(workspace, "changed") == set()
        assert NO_REPOSITORY in notes(workspace, "changed")


def test_similar_code_and_symbols_have_a_scope_too(workspace: Workspace) -> None:
    filters = Filters(scope=SearchScope(("folder", "no-tests"), "app"))
    similar = workspace.similar(SimilarRequest(text=PARSE.format("x"), filters=filters))
    assert {hit.chunk.path for hit in similar.hits} == {"app/comma.py", "app/deep/colon.py"}
    answer = workspace.symbols.relate(
        SymbolRequest("callers", "parse_comma", filters=Filters(scope=SearchScope(("changed",))))
    )
    assert NOTHING_CHANGED in answer.notes


def test_an_unknown_scope_is_refused_with_those_there_are(workspace: Workspace) -> None:
    with pytest.raises(
        QueryError, match=r"There is no scope 'novel'; scopes are folder, package, open, changed, no-tests"
    ):
        paths(workspace, "novel")


@pytest.mark.parametrize(
    ("files", "folder", "package"),
    [
        ("pyproject.toml src/click/__init__.py src/click/x/__init__.py", "src/click/x", "src/click"),
        ("pyproject.toml scripts/a.py", "scripts", ""),
        ("package.json packages/ui/package.json packages/ui/src/a.ts", "packages/ui/src", "packages/ui"),
        ("go.mod internal/store/a.go", "internal/store", ""),
        ("src/a.c src/deep/b.c", "src/deep", "src/deep"),
        ("a.py", "", ""),
    ],
)
def test_a_package_is_what_its_language_calls_one(tmp_path: Path, files: str, folder: str, package: str) -> None:
    for path in files.split():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    assert package_of(tmp_path, folder) == package
