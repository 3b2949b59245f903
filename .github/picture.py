"""Makes search.svg, the picture of the README, from a real search of requests 2.32.5: `python .github/picture.py`.

Needs the package installed in the environment that runs it, and pip, which downloads the source of requests. Only the prompt line
is written here; the rest is what the command printed. The first hit must be the function that builds a multipart body.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

HERE = Path(__file__).parent
SOURCE = "requests==2.32.5"
QUERY = "send a file as part of a form"
FIRST_HIT = "RequestEncodingMixin._encode_files"
RESULTS = "3"
WIDTH = 100


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        printed = searched(unpacked(Path(folder)), Path(folder) / "cache")
    if FIRST_HIT not in printed.splitlines()[0]:
        raise SystemExit(f"The first hit is not {FIRST_HIT}:\n{printed}")
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.assemble(("$ ", "green"), ("c2llm search ", "bold"), (f'"{QUERY}" -k {RESULTS}', "yellow")))
    console.print(Text.from_ansi(printed.rstrip()), no_wrap=True, overflow="ellipsis")
    svg = console.export_svg(title="c2llm", theme=DIMMED_MONOKAI)
    # The template's web fonts would make every viewer ask a server for them; each system has a monospace font.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code, monospace", "Menlo, Consolas, 'DejaVu Sans Mono', monospace")
    svg = svg.replace("<text ", '<text xml:space="preserve" ')  # some viewers drop spaces that begin a piece of text
    (HERE / "search.svg").write_text(svg, encoding="utf-8")


def unpacked(folder: Path) -> Path:
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--no-binary",
        ":all:",
        "-d",
        str(folder),
        SOURCE,
    ]
    subprocess.run(command, check=True)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


def searched(workspace: Path, cache: Path) -> str:
    environment = {
        **os.environ,
        "FORCE_COLOR": "1",
        "COLUMNS": str(WIDTH),
        "TERM": "xterm-256color",
        "C2LLM_LINK": "",
        "C2LLM_CACHE_DIR": str(cache),
        "PYTHONPATH": str(HERE.parent),
    }
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "c2llm_lsp", "search", QUERY, "-k", RESULTS, "--quiet"]
    done = subprocess.run(command, cwd=workspace, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


if __name__ == "__main__":
    main()
