"""Makes search.svg, the picture of the README, from a real search of this repository: `python .github/picture.py`.

Needs the package installed in the environment that runs it. Only the prompt line is written here; the rest is what the
command printed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

HERE = Path(__file__).parent
QUERY = "where are ignore rules applied"
RESULTS = "4"
WIDTH = 100


def main() -> None:
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH), "TERM": "xterm-256color", "C2LLM_LINK": ""}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "c2llm_lsp", "search", QUERY, "-k", RESULTS, "--quiet"]
    done = subprocess.run(command, cwd=HERE.parent, env=environment, capture_output=True, text=True, check=True)
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.assemble(("$ ", "green"), ("c2llm search ", "bold"), (f'"{QUERY}" -k {RESULTS}', "yellow")))
    console.print(Text.from_ansi(done.stdout.rstrip()), no_wrap=True, overflow="ellipsis")
    svg = console.export_svg(title="c2llm", theme=DIMMED_MONOKAI)
    # The template's web fonts would make every viewer ask a server for them; each system has a monospace font.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code, monospace", "Menlo, Consolas, 'DejaVu Sans Mono', monospace")
    (HERE / "search.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
