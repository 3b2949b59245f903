"""Starting costs next to nothing: what is heavy is imported where it is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.files import file_reader
from tests.cli.program import CHECKOUT, Program

HEAVY = ("onnxruntime", "numpy", "tokenizers", "tree_sitter", "watchdog", "hnswlib", "torch", "sqlite3")
LISTING = """
import runpy, sys
sys.argv[1:] = {arguments!r}
try:
    runpy.run_module("c2llm_lsp", run_name="__main__")
except SystemExit:
    print("\\n".join(sys.modules), file=sys.stderr)
"""


# Parsing, workers, servers, guesses of encodings and tables of entities: a search of an index that is current needs none of it.
NOT_TO_SEARCH = {
    "asyncio",
    "chardet",
    "concurrent.futures.process",
    "html",
    "multiprocessing",
    "prompt_toolkit",
    "psutil",
    "pygments",
    "re2",
    "retrieval.chunking.chunker",
    "retrieval.chunking.grammars",
    "retrieval.chunking.languages",
    "retrieval.indexing.index_files",
    "retrieval.indexing.worker_pool",
    "socket",
    "ssl",
    "tree_sitter",
    "watchdog",
}


def imported(*arguments: str, cwd: Path = CHECKOUT) -> set[str]:
    """The modules that a run of the command has imported."""
    code = LISTING.format(arguments=list(arguments))
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stderr.split()} | {
        name for name in done.stderr.split() if name.startswith("c2llm_lsp")
    }


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["search", "--help"], ["search", ""], ["doctor", "--help"]]
)
def test_nothing_heavy_is_imported_to_say_no_or_help(arguments: list[str]) -> None:
    assert not imported(*arguments) & set(HEAVY)


def test_a_chat_api_is_asked_without_llama_index() -> None:
    """Its import takes 1.5 s of CPU."""
    modules = "retrieval.llm.client, retrieval.rag.conversation, c2llm_lsp.cli.ask"
    code = f"import sys, {modules}; print({{'llama_index', 'openai', 'torch'}} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_only_the_subcommand_that_is_called_is_imported() -> None:
    modules = imported("search", "--help")
    assert "c2llm_lsp.cli.search" in modules
    assert not {"c2llm_lsp.cli.doctor", "c2llm_lsp.cli.watch", "c2llm_lsp.session.session"} & modules
    assert not {name for name in imported("--help") if name.startswith("c2llm_lsp.cli.")} & {"c2llm_lsp.cli.search"}


def test_help_imports_nothing_but_its_libraries() -> None:
    """They are nearly all of the time that `--help` takes."""
    code = "import sys, typer, typer.rich_utils, rich.console, rich.panel, rich.table; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    libraries = {name.split(".")[0] for name in done.stdout.split()}
    own = {
        name for name in imported("--help") if name.split(".")[0] not in libraries | {"runpy", "retrieval", "resource"}
    }
    assert {name.split(".")[0] for name in own} == {"c2llm_lsp"}
    assert len(own) <= 8


def test_a_search_without_changes_imports_nothing_that_parses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_reader, "RACY_COARSE_NS", 0)  # files written right before they are indexed are read again
    root, program = tmp_path / "project", Program(tmp_path / "home")
    root.mkdir()
    (root / "a.py").write_text("def bake():\n    return 1\n")
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=program.cache) as workspace:
        workspace.refresh()
    code = LISTING.format(arguments=["search", "bake"])
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=program.environment(), capture_output=True, text=True, check=True
    )
    assert "a.py" in done.stdout
    assert not NOT_TO_SEARCH & set(done.stderr.split())
