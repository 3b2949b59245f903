"""From a key to results on the screen, in a real Neovim in a real terminal: latency.py PROJECT [PICKER PLUGINS].

A key is written into the terminal; what comes back is read until the screen shows results that were not there. The server
is the `c2llm` on PATH, its index warm.

    typed   a whole question, then Enter: `:C2llm! search ...` to the results in the quickfix list
    first   the first letters of a question, into the open box of a picker: to the first results
    keys    each letter after it, to results that changed; a letter that changes nothing on the screen is not counted
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from terminal import Terminal

PLUGIN = Path(__file__).resolve().parents[1]
SETUPS = {
    "snacks": ("snacks.nvim", 'require("snacks").setup({ picker = { prompt = "> " } })'),
    "mini.pick": ("mini.nvim", 'require("mini.pick").setup()'),
}
QUESTIONS = """where are ignore rules applied|parse a query|merge ranked lists|read a file without following links
split camel case words|cut a file into chunks|progress of indexing|write the lock file|cancel a request|columns in utf-16
settings from the environment|colour of a result|syntax tree of a function|skip binary files|detect the language
full text search|salient lines|open documents|start the server|list workspace folders|count files by language
a plain sentence for an error|token of the connection|watch for changes|explain the score|exit code|print json
near duplicates|freshness of the index|size of the cache""".replace("\n", "|").split("|")
BUDGET_MS = 150
LETTERS = 4  # of each question: what comes after them is as quick


def main(project: str, picker: str = "", plugins: str = "") -> int:
    with tempfile.TemporaryDirectory() as work, started(Path(work), project, picker, plugins) as terminal:
        terminal.until(lambda text: "READY" in text, 120)
        terminal.rest(0.5)
        if picker:
            first, keys = live(terminal)
            report(f"{picker}, first results", first)
            report(f"{picker}, each key", keys)
        else:
            first = [question(terminal, words) for words in QUESTIONS]
            report("quickfix list", first)
    return 0 if percentile(first, 0.95) <= BUDGET_MS else 1


def started(work: Path, project: str, picker: str, plugins: str) -> Terminal:
    lines = [f"vim.opt.runtimepath:prepend([[{PLUGIN}]])", "vim.o.swapfile = false", "vim.o.laststatus = 2"]
    lines.append("""vim.o.statusline = "%{v:lua.require'c2llm'.statusline() == 'c2llm' ? 'READY' : 'WAIT'}" """)
    if picker:
        folder, setup = SETUPS[picker]
        lines += [
            f"vim.opt.runtimepath:append([[{plugins}/{folder}]])",
            setup,
            f'vim.g.c2llm = {{ picker = "{picker}" }}',
        ]
    init = work / "init.lua"
    init.write_text("\n".join([*lines, 'vim.lsp.enable("c2llm")']), encoding="utf-8")
    nvim = os.environ.get("NVIM_PROGRAM") or shutil.which("nvim") or "nvim"
    environment = {**os.environ, "XDG_STATE_HOME": str(work), "XDG_RUNTIME_DIR": str(work), "LANG": "C.UTF-8"}
    file = next(Path(project).rglob("settings.py"), Path(project) / "README.md")
    return Terminal([nvim, "-i", "NONE", "-n", "-u", str(init), str(file)], environment, project)


def question(terminal: Terminal, words: str) -> float:
    """In milliseconds."""
    terminal.type(":cclose\r")
    terminal.until(lambda text: places(text) == "", 5)
    terminal.type(f":C2llm! search {words}")
    terminal.until(lambda text: words in text)
    terminal.rest(0.2)
    terminal.type("\r")
    took = terminal.until(lambda text: places(text) != "", 5)
    return took * 1e3


def live(terminal: Terminal) -> tuple[list[float], list[float]]:
    first, keys = [], []
    terminal.type(":C2llm search\r")
    terminal.until(lambda text: "Search by Meaning" in text)
    terminal.rest(0.5)
    for words in QUESTIONS:
        for number, letter in enumerate(words[:LETTERS]):
            before = places(terminal.text())
            terminal.type(letter)
            try:
                took = 1e3 * terminal.until(lambda text, old=before: places(text) not in ("", old), 0.4)
            except TimeoutError:
                continue
            finally:
                terminal.rest(0.12)  # as fast as people type
            (first if number == 0 else keys).append(took)
        terminal.type("\x7f" * LETTERS)
        terminal.until(lambda text: places(text) == "", 5)
        terminal.rest(0.3)
    return first, keys


def places(text: str) -> str:
    """What of the screen are results: lines with path:line or path|line."""
    return "\n".join(re.findall(r"[\w./-]+\.(?:py|md|ts|lua)(?::\d+  |\|\d+ col)\S*", text))


def percentile(times: list[float], share: float) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def report(name: str, times: list[float]) -> None:
    figures = {f"p{share}": round(percentile(times, share / 100)) for share in (50, 95)}
    print(json.dumps({"what": name, **figures, "max": round(max(times, default=float("nan"))), "times": len(times)}))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
