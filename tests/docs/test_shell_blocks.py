"""Shell commands in the documentation: each says whether a test runs it, and those that can run do.

A shell block stands below one of two markers: `<!-- runs -->`, then it is run here, line by line as one script, in a sample project
with the fast encoder; or `<!-- not run: REASON -->`. README's two commands that install have markers of their own: .ci/run and
.ci/package run them.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from c2llm_lsp.cli.app import COMMANDS, LazyGroup, app
from tests.cli.program import Program, lay_out
from tests.docs.pages import CHECKOUT, ShellBlock, between, files, inline_code, pages, shell_blocks
from tests.patience import PATIENCE

BLOCKS = [block for page in pages() for block in shell_blocks(page)]
RUN = [block for block in BLOCKS if block.marker == "runs"]
SAMPLE = {
    "src/app.py": '''def fetch_with_retry(url):
    """Fetch a URL; wait longer after each failed request. Refreshes the token, parses the config file."""
    for attempt in range(5):
        if (answer := fetch(url)).ok:
            return answer
    raise TimeoutError(url)
''',
    "src/sync.py": '''def get_with_retry(url):
    """Get a URL; wait longer after each failed request."""
    for attempt in range(3):
        if (answer := fetch(url)).ok:
            return answer
    raise TimeoutError(url)
''',
    "core/queue.go": "package core\n\n// Push adds a job to the queue.\nfunc (q *Queue) Push(job Job) {\n\tq.wake()\n}\n",
}


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_shell_block_says_whether_it_is_run(block: ShellBlock) -> None:
    assert block.marker, f"{block} has neither <!-- runs --> nor <!-- not run: REASON --> before it"


@pytest.mark.slow
@pytest.mark.parametrize("block", RUN, ids=str)
def test_commands_of_the_documentation_run(block: ShellBlock, tmp_path: Path) -> None:
    program = Program(home := tmp_path / "home")
    home.mkdir()
    project = sample(tmp_path)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.code],
        cwd=project,
        env=program.environment(PATH=f"{shim(tmp_path)}{os.pathsep}{os.environ['PATH']}"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


def sample(folder: Path) -> Path:
    """A repository with an edit that is not committed, and another project beside it."""
    lay_out(folder / "other", {"settings.py": 'def parse_config(path):\n    """Parse the config file."""\n'})
    project = lay_out(folder / "project", SAMPLE)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(project)]
    for step in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "start"]):
        subprocess.run([*git, *step], check=True, capture_output=True)
    changed = project / "src" / "app.py"
    changed.write_text(changed.read_text(encoding="utf-8").replace("range(5)", "range(7)"), encoding="utf-8")
    return project


def shim(folder: Path) -> Path:
    """A folder for PATH whose `c2llm` is the checkout's."""
    place = folder / "bin"
    place.mkdir()
    script = place / "c2llm"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m c2llm_lsp "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return place


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_options_of_c2llm_in_a_shell_block_exist(block: ShellBlock) -> None:
    for line in calls(block.code):
        parse(line)


def calls(code: str) -> list[list[str]]:
    """The arguments of each call of c2llm: at the start of a line, behind a pipe, in an environment or behind a setting."""
    found = []
    for line in code.splitlines():
        for part in re.split(r"\s(?:\||&&)\s", line):
            match = re.match(r"^\s*(?:\w+=\S*\s+)*(?:\S*/)?c2llm\s+(.*)$", part)
            if match:
                found.append(shlex.split(match[1], comments=True))
    return found


def parse(line: list[str]) -> None:
    """Take a command line apart as c2llm does, and run nothing. Raises a usage error."""
    group = typer.main.get_command(app)
    assert isinstance(group, LazyGroup)
    with group.make_context("c2llm", [], resilient_parsing=True) as context:
        name, command, rest = group.resolve_command(context, list(line))
        assert command is not None, f"No such command: {line[0]}"
        if rest:
            command.make_context(name, rest, parent=context)


def test_an_option_that_does_not_exist_is_seen() -> None:
    (line,) = calls('echo x | c2llm search "a b" --no-such-option # c2llm comment')
    assert line == ["search", "a b", "--no-such-option"]
    with pytest.raises(Exception, match="No such option"):
        parse(line)


@pytest.mark.parametrize("page", [page for page in pages() if "evaluation/LOG" not in page])
def test_pages_name_only_commands_that_exist(page: str) -> None:
    said = [match[1] for code in inline_code(page) if (match := re.match(r"c2llm ([a-z][\w-]*)", code))]
    assert set(said) <= set(COMMANDS)


def test_the_page_lists_each_command_with_its_own_words() -> None:
    rows = [f"| `c2llm {name}` | {line} |" for name, (_, line) in COMMANDS.items()]
    assert between("docs/cli.md", "subcommands").splitlines()[2:] == rows


BY_NAME = re.compile(r"(?:pipx|pip|uv tool|uvx) (?:install|upgrade) (?:-\S+ )*['\"]?c2llm-lsp(?!\[)\b")
SAYS = (".md", ".txt", ".py", ".lua", ".ts", ".json", ".yml", ".el")


def test_nothing_is_installed_by_a_name_that_is_on_no_index() -> None:
    """Whoever registered the name would be run, in pages and messages alike. An extra of an installed package is another matter:
    pip keeps what is installed."""
    told = [name for name in files() if name.endswith(SAYS) and not name.startswith("tests/")]
    assert [name for name in told if BY_NAME.search((CHECKOUT / name).read_text(encoding="utf-8"))] == []
    assert BY_NAME.search("pipx install c2llm-lsp") and BY_NAME.search("pip install --upgrade 'c2llm-lsp'")
    assert not BY_NAME.search("pipx install /path/to/c2llm-lsp") and not BY_NAME.search("pip install 'c2llm-lsp[mcp]'")
